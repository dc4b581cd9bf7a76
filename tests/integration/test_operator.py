"""The operator's commands, run as an operator runs them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet

from db.contacts import conversations
from db.pool import Pool
from db.sealing import Cipher, SealError
from demo.stack.ports import free_port
from relay.broker import topology
from relay.core.messages import Person
from tests.processes import ROOT
from tests.waiting import PATIENCE


def relay(env: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "relay", *command],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@pytest.fixture(scope="module")
def line(settings_env: dict[str, str]) -> tuple[str, str]:
    """(tenant id, line id) with one sealed secret each."""
    tenant_id, line_id = str(uuid4()), str(uuid4())
    sealed = Cipher([settings_env["CREDENTIALS_KEYS"]]).seal({"webhook_secret": "s"})
    with Pool(settings_env["DATABASE_URL"]) as pool, pool.transaction() as cursor:
        cursor.execute("INSERT INTO tenants (id, name, webhook_key) VALUES (%s, 'T', 'k')", (tenant_id,))
        cursor.execute(
            """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, sealed_webhook_secret)
               VALUES (%s, %s, '1', 'i', 'lk', %s)""",
            (line_id, tenant_id, sealed),
        )
        cursor.execute(
            "INSERT INTO tenant_credentials (tenant_id, type, sealed, shown) VALUES (%s, 'genesys', %s, '{}')",
            (tenant_id, sealed),
        )
    return tenant_id, line_id


def test_keys_rotate_seals_everything_with_the_newest_key(settings_env: dict[str, str], line: tuple[str, str]) -> None:
    old, new = settings_env["CREDENTIALS_KEYS"], Fernet.generate_key().decode()
    done = relay({**settings_env, "CREDENTIALS_KEYS": f"{new},{old}"}, "keys", "rotate")
    assert done.returncode == 0, done.stderr
    assert "2 secrets" in done.stdout
    with Pool(settings_env["DATABASE_URL"]) as pool, pool.transaction() as cursor:
        cursor.execute("SELECT sealed FROM tenant_credentials UNION ALL SELECT sealed_webhook_secret FROM lines")
        sealed = [row[0] for row in cursor.fetchall()]
    assert [Cipher([new]).open(one) for one in sealed] == [{"webhook_secret": "s"}] * 2
    with pytest.raises(SealError):
        Cipher([old]).open(sealed[0])
    relay({**settings_env, "CREDENTIALS_KEYS": f"{old},{new}"}, "keys", "rotate")


def test_keys_rotate_with_a_key_missing_says_so_and_changes_nothing(
    settings_env: dict[str, str], line: tuple[str, str]
) -> None:
    done = relay({**settings_env, "CREDENTIALS_KEYS": Fernet.generate_key().decode()}, "keys", "rotate")
    assert done.returncode == 1
    assert "none of CREDENTIALS_KEYS opens this value" in done.stderr
    assert "Traceback" not in done.stderr


def test_reshard_gives_every_conversation_a_home_and_refuses_the_old_number(
    settings_env: dict[str, str], line: tuple[str, str]
) -> None:
    topology.declare(settings_env["BROKER_URL"], 16)
    with Pool(settings_env["DATABASE_URL"]) as pool:
        for number in range(40):
            conversations.find_or_create(pool, *line, Person(f"49{number:010}"), 16)
        done = relay(settings_env, "reshard", "4")
        assert done.returncode == 0, done.stderr
        with pool.transaction() as cursor:
            cursor.execute("SELECT count(DISTINCT shard), max(shard) FROM conversation_mappings")
            assert cursor.fetchone() == (4, 3)
            cursor.execute("SELECT count(*) FROM shards")
            assert cursor.fetchone() == (4,)
    refused = relay(settings_env, "migrate")
    assert refused.returncode == 1
    assert "RELAY_SHARDS=4" in refused.stderr
    assert relay({**settings_env, "RELAY_SHARDS": "4"}, "reshard", "16").returncode == 0


def test_reshard_is_refused_while_a_daemon_lives(settings_env: dict[str, str], line: tuple[str, str]) -> None:
    with Pool(settings_env["DATABASE_URL"]) as pool:
        with pool.transaction() as cursor:
            cursor.execute(
                "INSERT INTO daemons (id, name, lease_until) VALUES (%s, 'somebody', now() + interval '1 hour')",
                (str(uuid4()),),
            )
        done = relay(settings_env, "reshard", "8")
        with pool.transaction() as cursor:
            cursor.execute("DELETE FROM daemons")
    assert done.returncode == 1
    assert "stop web and every daemon first; still running: somebody" in done.stderr


def without_schema(env: dict[str, str]) -> dict[str, str]:
    """A database of the same server in which nobody has migrated."""
    url, _, _ = env["DATABASE_URL"].rpartition("/")
    return {"DATABASE_URL": f"{url}/postgres"}


@pytest.mark.parametrize(
    "command",
    [
        ("run",),
        ("users", "list"),
        ("users", "add", "olga@demo.example", "--operator"),
        ("keys", "rotate"),
        ("keys", "keep"),
        ("audit", "verify"),
        ("audit", "export"),
        ("lines", "find", "1"),
        ("dead-letters", "list"),
        ("reshard", "4"),
    ],
    ids=" ".join,
)
def test_a_command_on_an_empty_database_says_what_to_run(
    settings_env: dict[str, str], command: tuple[str, ...]
) -> None:
    done = relay(settings_env | without_schema(settings_env), *command)
    assert done.returncode == 1
    assert "run `relay migrate` first" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_web_on_an_empty_database_says_what_to_run_and_ends(settings_env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "conf/gunicorn.py", "web.wsgi:app"],
        env=os.environ
        | settings_env
        | without_schema(settings_env)
        | {"WEB_WORKERS": "1", "WEB_PORT": str(free_port())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "this database has no schema yet: run `relay migrate` first" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_a_daemon_whose_port_cannot_be_opened_says_which(settings_env: dict[str, str], host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = relay(settings_env | {"METRICS_HOST": host, "METRICS_PORT": port}, "run")
    assert done.returncode == 1
    assert f"cannot listen on METRICS_PORT {port} of METRICS_HOST {host}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_an_owner_who_is_no_member_of_the_role_is_told_what_is_missing(settings_env: dict[str, str]) -> None:
    name, password = f"owner_{uuid4().hex[:8]}", uuid4().hex
    url = urlsplit(settings_env["DATABASE_URL"])
    theirs = urlunsplit(url._replace(netloc=f"{name}:{password}@{url.hostname}:{url.port}", path=f"/{name}"))
    with Pool(settings_env["DATABASE_URL"]) as pool:
        with pool.autocommit() as cursor:
            cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD %s", (password,))
            cursor.execute(f"CREATE DATABASE {name} OWNER {name}")
        done = relay(settings_env | {"DATABASE_URL": theirs}, "migrate")
        with pool.autocommit() as cursor:
            cursor.execute(f"DROP DATABASE {name} (FORCE)")
            cursor.execute(f"DROP ROLE {name}")
    assert done.returncode == 1
    assert "has to own the database, and be a member of the role relay_tenant" in done.stderr
    assert "Traceback" not in done.stderr
