"""`relay doctor` on real parts: a line that works, and what is said about things that do not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from cryptography.fernet import Fernet

from db.migrate import migrate
from db.pool import Pool
from db.sealing import Cipher
from demo.seed import Seeded, seed
from tests import processes
from tests.integration.test_operator import without_schema
from tests.waiting import PATIENCE


def doctor(env: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "relay", "doctor", *arguments],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def seeded(settings_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """Web and sandbox with the demo tenant; no daemon."""
    logs: Path = tmp_path_factory.mktemp("doctor")
    migrate(settings_env["DATABASE_URL"], int(settings_env["RELAY_SHARDS"]))
    with processes.sandbox(settings_env, logs), processes.web(settings_env, logs):
        yield seed(settings_env)


@pytest.fixture
def daemon(settings_env: dict[str, str], seeded: Seeded) -> Iterator[None]:
    """As far as the database can tell, a daemon that serves all shards."""
    daemon_id = str(uuid4())
    with Pool(settings_env["DATABASE_URL"]) as pool:
        with pool.transaction() as cursor:
            cursor.execute(
                "INSERT INTO daemons (id, name, lease_until) VALUES (%s, 'one', now() + interval '5 minutes')",
                (daemon_id,),
            )
            cursor.execute("UPDATE shards SET owner = %s", (daemon_id,))
        yield
        with pool.transaction() as cursor:
            cursor.execute("UPDATE shards SET owner = NULL")
            cursor.execute("DELETE FROM daemons")


def test_all_is_well(settings_env: dict[str, str], seeded: Seeded, daemon: None) -> None:
    code, said = doctor(settings_env)
    assert (code, "Nothing is refused." in said) == (0, True), said
    assert "warning relay stand-ins META_GRAPH_URL " in said, said
    assert "Then take http-public-url out of RELAY_INSECURE." in said, said
    for part in ("database", "daemons", "broker", "redis", "buckets", "web"):
        assert f"ok relay {part} " in said, said
    for check in ("token", "scopes", "ownership", "subscription", "webhook", "app_secret"):
        assert f"ok whatsapp {check} " in said, said
    for check in ("token", "integration", "webhook", "webhook_secret", "receive", "outbound_files"):
        assert f"ok genesys {check} " in said, said
    assert "ok relay round_trip_whatsapp " in said, said
    assert "ok relay round_trip_genesys " in said, said
    assert "Meta and Genesys could not reach it" in said


def test_what_is_refused_is_said_with_advice_and_an_exit_code(settings_env: dict[str, str], seeded: Seeded) -> None:
    headers = {"Authorization": f"Bearer {settings_env['ADMIN_API_KEY']}"}
    base = f"{settings_env['PUBLIC_URL']}/api/tenants/{seeded.tenant_id}/whatsapp/credentials"
    good = {
        "phone_number_id": "300000000000001",
        "waba_id": "200000000000001",
        "access_token": "EAAG-demo-token-nordwind",
    }
    assert requests.put(base, json=good | {"app_secret": "not-of-this-app"}, headers=headers, timeout=PATIENCE).ok
    try:
        code, said = doctor(settings_env, seeded.tenant_id)
    finally:
        requests.put(base, json=good, headers=headers, timeout=PATIENCE)
    assert code == 1
    assert "refused relay daemons no daemon is alive" in said
    assert "refused whatsapp app_secret" in said
    assert "Something is refused" in said


def test_parts_that_are_away_are_named(settings_env: dict[str, str], seeded: Seeded, daemon: None) -> None:
    nobody = {
        "BROKER_URL": "amqp://relay:password@127.0.0.1:1//",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MINIO_ENDPOINT": "127.0.0.1:1",
        "PUBLIC_URL": "http://127.0.0.1:1",
    }
    code, said = doctor(settings_env | nobody)
    assert code == 1
    for line in ("refused relay broker", "warning relay redis", "refused relay buckets", "warning relay web"):
        assert line in said, said
    assert "warning relay round_trip_whatsapp nothing answers" in said


def test_without_a_schema_it_says_what_to_run(settings_env: dict[str, str]) -> None:
    code, said = doctor(settings_env | without_schema(settings_env))
    assert code == 1
    assert "refused relay database this database has no schema yet: run `relay migrate` first" in said
    assert "refused relay daemons cannot be looked up: the database has no schema yet -> Run `relay migrate`." in said
    assert "see the advice above" in said


def test_with_another_number_of_shards_the_advice_is_about_that(settings_env: dict[str, str], seeded: Seeded) -> None:
    code, said = doctor(settings_env | {"RELAY_SHARDS": "3"})
    assert code == 1
    assert "run `relay reshard 3`" in said
    assert "Start PostgreSQL" not in said


def test_with_a_key_that_is_gone_it_says_so(settings_env: dict[str, str], seeded: Seeded) -> None:
    code, said = doctor(settings_env | {"CREDENTIALS_KEYS": Fernet.generate_key().decode()})
    assert code == 1
    assert "none of CREDENTIALS_KEYS opens this value; was a key removed too early? Put it back" in said


def test_a_tenant_whose_secrets_no_key_opens_is_named_and_the_others_are_looked_at(
    settings_env: dict[str, str], seeded: Seeded
) -> None:
    tenant_id = "00000000-0000-4000-8000-000000000001"
    with Pool(settings_env["DATABASE_URL"]) as pool:
        with pool.transaction() as cursor:
            cursor.execute("INSERT INTO tenants (id, name, webhook_key) VALUES (%s, 'Locked', 'locked')", (tenant_id,))
            sealed = Cipher([Fernet.generate_key().decode()]).seal({"client_id": "c"})
            cursor.execute(
                "INSERT INTO tenant_credentials (tenant_id, type, sealed, shown) VALUES (%s, 'genesys', %s, '{}')",
                (tenant_id, sealed),
            )
        code, said = doctor(settings_env)
        with pool.transaction() as cursor:
            cursor.execute("DELETE FROM tenant_credentials WHERE tenant_id = %s", (tenant_id,))
            cursor.execute("DELETE FROM tenants WHERE id = %s", (tenant_id,))
    assert code == 1
    assert f"Locked: tenant {tenant_id} refused relay secrets none of CREDENTIALS_KEYS opens this value" in said, said
    assert "ok whatsapp token " in said, said


def test_a_tenant_that_is_not_there(settings_env: dict[str, str], seeded: Seeded) -> None:
    code, said = doctor(settings_env, str(uuid4()))
    assert (code, "there is no tenant" in said) == (1, True)
