"""The embedded PostgreSQL of whoever starts it: root in a closed folder too, and nobody else sees its data."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from demo.stack import postgres_home as module
from demo.stack.postgres import Postgres
from demo.stack.postgres_home import postgres_home
from demo.stack.services import running

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL runs as the ordinary user who starts it")
STRANGER = 4_000_000_000
"""A user that nobody is."""

HELD = """
import sys, time
from pathlib import Path
from demo.stack.postgres_home import postgres_home
with postgres_home(Path(sys.argv[1])) as home:
    print(home.data.parents[1], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that only its owner may enter, with the programs of the wheel in it."""
    folder = tmp_path / "closed to ä"
    folder.mkdir(mode=0o700)
    installed = module.installed()
    packages = installed.parents[1]
    for part in (installed, *packages.glob(f"{installed.parent.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(packages), symlinks=True)
    (folder / installed.parent.name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(folder))
    assert module.installed().is_relative_to(folder)
    return folder


def answers(home: module.PostgresHome, logs: Path) -> bool:
    with running(Postgres(home, logs)) as server, closing(psycopg2.connect(server.url())) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def test_it_runs_though_programs_and_data_are_below_a_closed_folder(closed: Path) -> None:
    with postgres_home(closed / "data") as home:
        assert answers(home, closed / "logs")


@as_root
def test_it_runs_though_the_folder_for_temporary_files_is_closed_too(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with postgres_home(closed / "data") as home:
        assert answers(home, closed / "logs")
        assert not home.data.is_relative_to(closed)
    assert list(closed.glob(f"{module.PREFIX}*")) == []


@as_root
def test_where_nobody_else_can_run_it_root_is_told_what_to_do(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    monkeypatch.setattr(module, "FOLDERS", ())
    with pytest.raises(RuntimeError, match=r"closed to ä.*Permission denied[\s\S]*Set TMPDIR"), postgres_home(closed):
        pass
    assert list(closed.glob(f"{module.PREFIX}*")) == []


def test_the_data_is_for_the_server_alone_and_gone_afterwards(closed: Path) -> None:
    with postgres_home(closed) as home:
        assert answers(home, closed / "logs")
        assert stat.S_IMODE(home.data.stat().st_mode) == 0o700
    if home.user:
        assert not home.data.exists()


@as_root
def test_no_other_user_passes_through_to_programs_or_data(closed: Path) -> None:
    with postgres_home(closed) as home:
        for path in (home.data.parents[1], home.data.parent, home.programs):
            found = subprocess.run(["ls", path], user=STRANGER, group=STRANGER, extra_groups=[], capture_output=True)
            assert b"Permission denied" in found.stderr


@as_root
def test_what_a_killed_process_left_goes_with_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HELD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as holder:
        assert holder.stdout
        left = Path(holder.stdout.readline().strip())
        with postgres_home(tmp_path):
            assert left.exists(), "it is in use"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert left.exists()
        with postgres_home(tmp_path):
            assert not left.exists()
