"""A disk of its own for PostgreSQL, small enough to be filled: a file with a filesystem in it, mounted by root alone.

It is mounted where only this process and its children see it, so that it is gone with them however they end.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW_MOUNTS = 0x00020000
"""CLONE_NEWNS of Linux."""
SIZE = 3 * 2**30
"""Three gigabytes hold a run's rows and its log; on the real disk only what is written takes place."""


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not a byte is left, for nobody."""
        with self._filler.open("wb") as filler:
            piece = SIZE // 8
            while piece >= 4096:
                try:
                    os.posix_fallocate(filler.fileno(), filler.tell(), piece)
                    filler.seek(piece, os.SEEK_CUR)
                except OSError:  # so much is not left any more; less may be
                    piece //= 2
        try:
            yield
        finally:
            self._filler.unlink()


@contextmanager
def small_disk(directory: Path, user: pwd.struct_passwd | None) -> Iterator[SmallDisk | None]:
    """None where this process may not mount one; the folder belongs to `user`, who runs what is kept there."""
    folder = directory / "disk"
    folder.mkdir()
    if not _mounted(directory / "disk.img", folder):
        yield None
        return
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mounted(image: Path, folder: Path) -> bool:
    with suppress(OSError, subprocess.CalledProcessError):
        if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS):
            return False
        with image.open("wb") as file:
            file.truncate(SIZE)
        for command in (
            ["mount", "--make-rprivate", "/"],
            ["mkfs.ext4", "-q", "-m", "0", str(image)],
            ["mount", "-o", "loop", str(image), str(folder)],
        ):
            subprocess.run(command, check=True, capture_output=True)
        return True
    return False
