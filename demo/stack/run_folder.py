"""The folder of one run under `.run/`: data and logs, gone when the run ends well."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = ROOT / ".run"


@dataclass(frozen=True)
class RunFolder:
    """Where a run keeps its things."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def logs(self) -> Path:
        return self.path / "logs"


@contextmanager
def run_folder(kind: str, keep: bool = False) -> Iterator[RunFolder]:
    """A new folder for this process. The data always goes; the logs stay when the run failed, or with `keep`."""
    _remove_leftovers(kind)
    folder = RunFolder(RUNS / f"{kind}-{os.getpid()}")
    folder.logs.mkdir(parents=True)
    try:
        yield folder
    except Exception:
        keep = True
        raise
    finally:
        if folder.data.exists():
            shutil.rmtree(folder.data)
        if not keep:
            shutil.rmtree(folder.path)
            _remove_if_empty(RUNS)


def _remove_leftovers(kind: str) -> None:
    """What runs left that failed, or were killed before they could tidy up."""
    for path in RUNS.glob(f"{kind}-*"):
        if not _exists(int(path.name.rpartition("-")[2])):
            shutil.rmtree(path)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove_if_empty(path: Path) -> None:
    if not any(path.iterdir()):
        path.rmdir()
