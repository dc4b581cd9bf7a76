"""`relay init`, as an operator runs it on servers that are empty."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from conf.loading import load_settings
from db.access import passwords, users
from db.pool import Pool
from relay.broker import topology
from relay.cli import env_file
from relay.clients import build_objects
from tests.services.databases import Databases
from tests.waiting import PATIENCE

ASKED = (
    *("PUBLIC_URL", "TLS_CA_FILE", "DATABASE_URL", "BROKER_URL", "REDIS_URL"),
    *("MINIO_ENDPOINT", "MINIO_SECURE", "MINIO_PUBLIC_URL", "MINIO_ACCESS_KEY", "MINIO_SECRET_KEY"),
    "META_APP_SECRET",
)
GIVEN = ("RELAY_INSECURE", "RELAY_SHARDS")


def init(path: Path, environment: dict[str, str], answers: list[str]) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH")}
    return subprocess.run(
        [sys.executable, "-m", "relay", "init", "--file", str(path)],
        env=own | environment,
        input="".join(f"{answer}\n" for answer in answers),
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@pytest.fixture
def empty(settings_env: dict[str, str], databases: Databases) -> dict[str, str]:
    """Settings of servers that nothing was set up on."""
    return settings_env | {"DATABASE_URL": databases.create_empty(), "META_APP_SECRET": "", "TLS_CA_FILE": ""}


def test_a_person_answers_and_may_log_in(empty: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / ".env"
    answers = [empty.get(name, "") for name in ASKED]
    # The first word for PostgreSQL is wrong: it is said why, and asked again, with the authorities' file.
    wrong = "postgresql://relay:nowhere@127.0.0.1:1/relay"
    done = init(
        path, {name: empty[name] for name in GIVEN}, [answers[0], "", wrong, *answers[1:], "olga", "olga@x.example"]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "127.0.0.1" in done.stderr
    assert "not an e-mail address" in done.stderr
    assert empty["MINIO_SECRET_KEY"] not in done.stdout + done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load_settings(env_file.read(path))
    assert settings.relay_shards == int(empty["RELAY_SHARDS"])
    assert topology.waiting(settings.broker_url, settings.relay_shards) == 0
    assert build_objects(settings).missing_buckets() == []
    told = re.search(r"told only now: (\S+)", done.stdout)
    with Pool(settings.database_url, size=1) as pool:
        user = users.by_email(pool, "olga@x.example")
    assert told
    assert user
    assert passwords.matches(user.password_hash, told[1])


def test_run_again_it_asks_nothing_and_changes_no_key(empty: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / ".env"
    asked = {name: empty.get(name, "") for name in (*ASKED, *GIVEN)}
    first = init(path, asked, ["olga@y.example"])
    assert first.returncode == 0, first.stdout + first.stderr
    before = path.read_text()
    again = init(path, {}, [])
    assert again.returncode == 0, again.stdout + again.stderr
    assert "There is an operator already" in again.stdout
    assert path.read_text() == before


def test_without_answers_it_says_what_is_missing_and_keeps_what_it_was_told(
    empty: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / ".env"
    stopped = init(path, {name: empty[name] for name in (*GIVEN, "PUBLIC_URL")}, [])
    assert stopped.returncode == 1
    assert "Traceback" not in stopped.stderr
    assert "DATABASE_URL" in stopped.stdout or "TLS_CA_FILE" in stopped.stdout
    assert env_file.read(path)["PUBLIC_URL"] == empty["PUBLIC_URL"]
