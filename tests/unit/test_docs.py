"""The documents name only what exists: links, make targets, files, code, environment variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.settings import Settings
from relay.core import queues

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT, ROOT / "sandbox", *(ROOT / one for one in ("docs", "docs/decisions", "docs/services", "docs/runbook")))
DOCUMENTS = sorted(path for folder in FOLDERS for path in folder.glob("*.md"))
PACKAGES = ("conf", "db", "demo", "relay", "sandbox", "web", "tests")
FILE_ENDINGS = (".py", ".md", ".svg", ".sql", ".env", ".toml", ".cfg", ".sh")

CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
READ_FROM_ENVIRONMENT = re.compile(r'(?:environ(?:\.get\(|\[)|port\()"([A-Z0-9_]+)"')
# Read by others' programs, or names that only look like variables.
META_S_OWN = {"COPY_CODE", "PHONE_NUMBER", "QUICK_REPLY", "REQUEST_CONTACT_INFO"}
OF_COMPOSE = {"RELAY_HOST", "RELAY_ENV_FILE"}
OF_AN_EXAMPLE = re.compile(r"SHOP_[A-Z_]+")
"""Names in the environment of whoever applies a tenant's file."""
NOT_OURS = {"FORWARDED_ALLOW_IPS", "SSL_CERT_FILE"} | META_S_OWN | OF_COMPOSE
MADE_BY_OPERATORS = {".env", "deploy/.env", "relay.env", "/settings/relay.env", "/etc/relay/relay.env"}
QUEUES = {queues.INBOUND, queues.OUTBOUND, queues.DEAD_LETTERS, queues.WEBHOOK_ARCHIVE}

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    broken = [target for target in LINK.findall(_prose(path)) if not _resolves(path, target)]
    assert broken == []


def test_the_readme_leads_to_every_document() -> None:
    named = {
        (ROOT / target).resolve() for target in LINK.findall((ROOT / "README.md").read_text()) if "://" not in target
    }
    lists = [ROOT / "docs" / folder / "README.md" for folder in ("decisions", "services", "runbook")]
    others = {ROOT / "CONTRIBUTING.md", ROOT / "LICENSE", ROOT / "SECURITY.md"}
    wanted = {path for path in ROOT.glob("docs/*") if path.is_file()} | set(lists) | others
    assert wanted - named == set()
    for page in lists:
        listed = {(page.parent / target).resolve() for target in LINK.findall(page.read_text())}
        assert set(page.parent.glob("*.md")) - {page} - listed == set()


@each_document
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = {word for code in _code(path) for word in re.findall(r"\bmake ([a-z-]+)\b", code)}
    assert told - targets == set()


@each_document
def test_files_exist(path: Path) -> None:
    missing = [span for span in _spans(path) if _is_path(span) and not _is_there(path, span)]
    assert missing == []


@each_document
def test_dotted_names_exist(path: Path) -> None:
    dotted = re.compile(rf"^(?:{'|'.join(PACKAGES)})(?:\.\w+)+$")
    missing = [span for span in _spans(path) if dotted.match(span) and not _is_code(span.split("."))]
    assert missing == []


@each_document
def test_environment_variables_exist(path: Path) -> None:
    told = {name for code in _code(path) for name in VARIABLE.findall(code)}
    told = {name for name in told if not OF_AN_EXAMPLE.fullmatch(name)}
    assert told - _variables() - NOT_OURS - QUEUES == set()


def _prose(path: Path) -> str:
    return CODE_BLOCK.sub("", path.read_text())


def _spans(path: Path) -> list[str]:
    return SPAN.findall(_prose(path))


def _code(path: Path) -> Iterator[str]:
    """What stands in backticks, and whole blocks."""
    yield from _spans(path)
    yield from CODE_BLOCK.findall(path.read_text())


def _resolves(path: Path, target: str) -> bool:
    if "://" in target:
        return True
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    return file.exists() and (not anchor or anchor in map(_anchor, HEADING.findall(file.read_text())))


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _is_path(span: str) -> bool:
    """A file of the repository, or a folder in one of its packages."""
    if any(c in span for c in " <>*{}:="):
        return False
    if span in MADE_BY_OPERATORS:
        return False
    return span.endswith(FILE_ENDINGS) or (span.endswith("/") and span.split("/")[0] in (*PACKAGES, "docs"))


def _is_there(path: Path, span: str) -> bool:
    """As seen from the root or from the document; a bare name of a module may stand anywhere."""
    if (ROOT / span).exists() or (path.parent / span).exists():
        return True
    return "/" not in span and any(found for package in PACKAGES for found in (ROOT / package).rglob(span))


def _is_code(parts: list[str]) -> bool:
    """A module, or a name inside one."""
    for end in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:end])
        file = module.with_suffix(".py") if module.with_suffix(".py").exists() else module / "__init__.py"
        if file.exists():
            return all(re.search(rf"\b{name}\b", file.read_text()) for name in parts[end:])
    return False


def _variables() -> set[str]:
    """What the settings hold, and what demo, sandbox and gunicorn's configuration read by themselves."""
    sources = [*(ROOT / "demo").rglob("*.py"), *(ROOT / "sandbox").rglob("*.py"), ROOT / "conf" / "gunicorn.py"]
    read = {name for source in sources for name in READ_FROM_ENVIRONMENT.findall(source.read_text())}
    return {name.upper() for name in Settings.model_fields} | read
