"""The files that are installed say the same as setup.cfg: nothing forgotten, nothing without a hash, no place named."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
EXTRAS = {"production": None} | {
    name: name for name in ("heic", "tracing", "errors", "sandbox", "dev", "bench", "release")
}
"""Which extra of setup.cfg each file is made for."""
PINNED = re.compile(r"^(?P<requirement>[\w.-]+==[^ ;]+(?: ; .+?)?)(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)$")

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@each_file
def test_every_entry_is_one_version_with_hashes(path: Path) -> None:
    assert [entry for entry in _entries(path) if not PINNED.match(entry)] == []
    assert _pinned(path)


@pytest.mark.parametrize("name", EXTRAS)
def test_what_setup_cfg_asks_for_is_what_is_installed(name: str) -> None:
    pinned = _pinned(ROOT / "requirements" / f"{name}.txt")
    missing = [
        str(wanted)
        for wanted in _asked_for(EXTRAS[name])
        if not (found := pinned.get(canonicalize_name(wanted.name))) or not wanted.specifier.contains(found)
    ]
    assert missing == [], "run `make lock`"


def test_the_project_is_built_with_a_setuptools_that_it_accepts() -> None:
    pinned = _pinned(ROOT / "requirements" / "build.txt")
    asked = re.search(r'^requires = \["(.+)"\]$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert asked
    assert Requirement(asked[1]).specifier.contains(pinned["setuptools"])


def test_a_version_is_the_same_in_every_file() -> None:
    versions: dict[str, set[str]] = {}
    for path in FILES:
        for name, version in _pinned(path).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@each_file
def test_no_place_is_named_where_packages_come_from(path: Path) -> None:
    assert re.findall(r"\S*(?:://|index-url|find-links| @ )\S*", path.read_text()) == []


def test_every_file_has_its_extra() -> None:
    assert {path.stem for path in FILES} == {*EXTRAS, "build"}


def _entries(path: Path) -> list[str]:
    """One line for each package, without comments."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return re.sub(r"\s*\\\n\s*", " ", "\n".join(lines)).splitlines()


def _pinned(path: Path) -> dict[str, str]:
    """Name to version."""
    found = (Requirement(match["requirement"]) for entry in _entries(path) if (match := PINNED.match(entry)))
    return {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in found}


def _asked_for(extra: str | None) -> list[Requirement]:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"]
    if extra:
        lines += setup["options.extras_require"][extra]
    return [Requirement(line) for line in map(str.strip, lines.splitlines()) if line and not line.startswith("#")]
