"""Nobody changes, takes away or adds a line of the audit log without its showing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from structlog.testing import capture_logs

from conf.loading import load_settings
from conf.settings import Settings
from db import audit
from db.access import audit_chain
from db.audit import Author
from db.pool import DatabaseError, Pool
from relay.actors.audit_chainer import AuditChainer
from relay.cli import auditing
from relay.cli.auditing import ChainReport
from relay.runtime.commands import Tick
from tests.api.conftest import Api
from tests.waiting import PATIENCE

Tamper = tuple[str, str]
INSUFFICIENT_PRIVILEGE = "42501"


@pytest.fixture
def settings(settings_env: dict[str, str]) -> Settings:
    return load_settings(settings_env)


def written(pool: Pool, count: int, tenant_id: str | None = None) -> None:
    with pool.transaction() as cursor:
        for n in range(count):
            detail = {"reason": "Größe “7”", "n": n, "share": 0.1, "deep": {"b": [1, None], "a": "\u2028"}}
            audit.record(cursor, Author(f"ada {n}"), "line.put", tenant_id=tenant_id, subject=str(n), detail=detail)


@pytest.fixture
def chain(pool: Pool, settings: Settings) -> ChainReport:
    written(pool, 12)
    count, head = auditing.seal(settings)
    assert (count, head.n) == (12, 12)
    verdict = auditing.verify(settings, [head])
    assert (verdict.count, verdict.head) == (0, head)
    return verdict


TAMPERED: dict[str, Tamper] = {
    "who": ("UPDATE audit_log SET actor = 'somebody else' WHERE n = 5", "line 5 "),
    "what": ("UPDATE audit_log SET action = 'line.removed' WHERE n = 5", "line 5 "),
    "when": ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE n = 5", "line 5 "),
    "whose": ("UPDATE audit_log SET tenant_id = gen_random_uuid() WHERE n = 5", "line 5 "),
    "detail": ("UPDATE audit_log SET detail = jsonb_set(detail, '{deep,b}', '[2]') WHERE n = 5", "line 5 "),
    "taken away": ("DELETE FROM audit_log WHERE n = 5", "line 5 is missing"),
    "two taken away": ("DELETE FROM audit_log WHERE n IN (5, 6)", "lines 5 to 6 are missing"),
    "the end taken away": ("DELETE FROM audit_log WHERE n = 12", "line 12, whose digest was noted, is not there"),
    "exchanged": (
        "; ".join(f"UPDATE audit_log SET n = {new} WHERE n = {old}" for old, new in ((5, -5), (6, 5), (-5, 6))),
        "line 5 ",
    ),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_no_line_is_changed_unseen(pool: Pool, settings: Settings, chain: ChainReport, how: str) -> None:
    statement, told = TAMPERED[how]
    with pool.transaction() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount
    verdict = auditing.verify(settings, [chain.head])
    assert verdict.count >= 1
    assert any(text.startswith(told) for text in verdict.faults), verdict.faults


def test_a_chain_made_anew_does_not_lead_through_the_digest_that_was_noted(
    pool: Pool, settings: Settings, chain: ChainReport
) -> None:
    with pool.transaction() as cursor:
        cursor.execute("UPDATE audit_log SET actor = 'somebody else' WHERE n = 5")
        cursor.execute("UPDATE audit_log SET n = NULL, previous = NULL, hash = NULL WHERE n >= 5")
    auditing.seal(settings)
    assert auditing.verify(settings).count == 0, "what the chain alone cannot show"
    [fault] = auditing.verify(settings, [chain.head]).faults
    assert "line 12 " in fault
    assert "digest was noted" in fault


def test_a_change_is_told_by_the_command_and_its_exit_code(
    pool: Pool, settings_env: dict[str, str], chain: ChainReport
) -> None:
    from tests.integration.test_operator import relay

    whole = relay(settings_env, "audit", "verify", "--head", str(chain.head))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert str(chain.head) in whole.stdout
    with pool.transaction() as cursor:
        cursor.execute("UPDATE audit_log SET actor = 'somebody else' WHERE n = 5")
    changed = relay(settings_env, "audit", "verify")
    assert changed.returncode == 1
    assert "line 5 " in changed.stdout
    assert relay(settings_env, "audit", "verify", "--head", "nonsense").returncode == 1


def test_no_line_is_left_out_that_was_committed_late_or_with_a_lower_id(
    pool: Pool, settings: Settings, settings_env: dict[str, str]
) -> None:
    late = psycopg2.connect(settings_env["DATABASE_URL"])
    with late.cursor() as cursor:
        cursor.execute("INSERT INTO audit_log (actor, action) VALUES ('late', 'line.put') RETURNING id")
        [low] = cursor.fetchone() or [0]
        written(pool, 2)
        with pool.transaction() as lost:  # an id that nobody will ever see
            audit.record(lost, Author("x"), "line.put")
            lost.connection.rollback()
        written(pool, 1)
        assert auditing.seal(settings)[0] == 3
    late.commit()
    late.close()
    assert auditing.seal(settings)[0] == 1
    lines = list(audit_chain.chained(pool))
    assert [line.n for line in lines] == [1, 2, 3, 4]
    assert lines[-1].id == low
    assert auditing.verify(settings).count == 0


def test_who_chains_does_not_wait_for_whoever_else_does(pool: Pool, settings: Settings) -> None:
    written(pool, 1)
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (audit_chain.LOCK,))
        assert audit_chain.seal(pool) == 0
    assert audit_chain.seal(pool) == 1


def test_a_tenants_request_writes_no_place_in_the_chain(pool: Pool, new_tenant: Callable[..., str]) -> None:
    tenant_id = new_tenant()
    for column, value in (("n", "1"), ("at", "now()")):
        with pytest.raises(DatabaseError) as refused, pool.of_tenant(tenant_id).transaction() as cursor:
            cursor.execute(
                f"INSERT INTO audit_log (tenant_id, actor, action, {column}) VALUES (%s, 'x', 'x', {value})",
                (tenant_id,),
            )
        assert refused.value.sqlstate == INSUFFICIENT_PRIVILEGE, column


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200
    assert answer.mimetype == "application/x-ndjson"
    return [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]


def test_an_export_shows_a_change_without_the_relay(
    api: Api, pool: Pool, settings: Settings, new_tenant: Callable[..., str]
) -> None:
    """By what the documentation says of the format, and nothing of ours."""
    new_tenant()
    written(pool, 3)
    auditing.seal(settings)
    before = "0" * 64
    for line in lines_of(api("GET", "/api/audit/export")):
        own = line.pop("hash")
        assert line["previous"] == before
        assert hashlib.sha256(json.dumps(line, sort_keys=True, separators=(",", ":")).encode()).hexdigest() == own
        before = own
    assert before == audit_chain.head(pool).hash


def test_an_export_holds_no_other_tenants_lines(api: Api, pool: Pool, new_tenant: Callable[..., str]) -> None:
    one, other = new_tenant("One"), new_tenant("Other")
    key = api("POST", f"/api/tenants/{one}/keys", {"name": "k", "scopes": ["audit:read"]}).get_json()["key"]
    found = lines_of(api("GET", f"/api/tenants/{one}/audit/export", key=key))
    assert found
    assert {line["tenant_id"] for line in found} == {one}
    rest = lines_of(api("GET", f"/api/tenants/{one}/audit/export?after={found[1]['id']}", key=key))
    assert [line["id"] for line in rest] == [line["id"] for line in found[2:]]
    api.error(api("GET", f"/api/tenants/{other}/audit/export", key=key), 404, "not_found")
    api.error(api("GET", "/api/audit/export", key=key), 403, "forbidden")


def test_a_long_log_is_handed_out_without_a_gap(
    pool: Pool, settings: Settings, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain, "SLICE", 4)
    written(pool, 11)
    assert [line["detail"]["n"] for line in lines_of(api("GET", "/api/audit/export"))] == list(range(11))
    assert auditing.seal(settings)[0] == 11
    assert auditing.verify(settings).head.n == 11


def test_no_line_waits_for_somebody_to_think_of_it(
    pool: Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon's actor chains, tells the head, and comes back at once while more is to be done."""
    written(pool, 5)
    monkeypatch.setattr(audit_chain, "SLICE", 4)
    asked: list[float] = []
    timers = SimpleNamespace(after=lambda seconds, ref, command: asked.append(seconds))
    parts: Any = SimpleNamespace(pool=pool, timers=timers)
    with capture_logs() as told:
        actor = AuditChainer.start(parts)
        actor.ask(Tick(), timeout=PATIENCE)
        actor.stop()
    assert asked == [AuditChainer.busy_seconds, AuditChainer.every_seconds]
    assert auditing.verify(settings).head.n == 5
    [head] = [one["head"] for one in told if one["event"] == "audit_chain"]
    assert re.fullmatch("4:[0-9a-f]{64}", head)
