"""Clocks that are set while a process runs: `clock.c` tells it a time that is off, and by how much may change.

Debian's libfaketime would be the ready-made one; with it Python's own `time.sleep` fails (0.9.10, clock_nanosleep).
"""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).parent / "clock.c"


def clock_library(folder: Path) -> Path | None:
    """Compiled there. None without a C compiler, and on anything but Linux, where it could not be loaded like that."""
    compiler = shutil.which("cc")
    if compiler is None or not Path("/proc/self/exe").exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(made), str(SOURCE), "-ldl"], check=True)
    return made


class ClockSetter:
    """Of one process."""

    def __init__(self, library: Path, name: str) -> None:
        self._library = library
        self._file = library.with_name(f"{name}.off")
        self._file.write_bytes(bytes(8))

    def env(self) -> dict[str, str]:
        """What the process is started with."""
        return {"LD_PRELOAD": str(self._library), "RELAY_CLOCK_OFF": str(self._file)}

    @contextmanager
    def off_by(self, seconds: float) -> Iterator[None]:
        """Ahead, or behind where it is negative; right again afterwards. Both at once, also where it starts anew."""
        self._set(seconds)
        try:
            yield
        finally:
            self._set(0.0)

    def _set(self, seconds: float) -> None:
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as seen:
            seen[:] = struct.pack("q", round(seconds * 1e9))
