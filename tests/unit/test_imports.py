"""Every module can be imported with nothing configured, none imports itself by way of others, and none is too long."""

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
PACKAGES = ("conf", "db", "demo", "relay", "sandbox", "web")
LONGEST = 400
# These are not imported but run: the first starts the process, the second is the gunicorn application.
ENTRY_POINTS = {"demo.__main__", "relay.__main__", "sandbox.__main__", "web.wsgi"}


def _sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = [name for name in map(_module, _sources()) if name not in ENTRY_POINTS]

# In one process, and that one without any environment: a module that reads a setting, opens a connection, starts a
# thread or patches the standard library while it is imported is found here.
PROGRAM = """
import importlib, sys, threading
failed = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed.append(f"{name}: {type(error).__name__}: {error}")
if threading.active_count() > 1:
    failed.append(f"threads were started: {threading.enumerate()}")
if "gevent.monkey" in sys.modules and sys.modules["gevent.monkey"].is_module_patched("threading"):
    failed.append("something patched the standard library at import")
print("\\n".join(failed))
sys.exit(bool(failed))
"""


def test_every_module_imports_with_an_empty_environment() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", PROGRAM, *MODULES],
        env={},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for types and inside functions count: what needs them to stand is one thing in two files."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize("path", _sources(), ids=_module)
def test_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST
