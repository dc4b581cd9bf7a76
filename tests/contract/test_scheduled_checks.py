"""Live lines are checked by themselves, each by one daemon at a time, and what was found is kept for a while."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet

from db.audit import Author
from db.mailbox import notices
from db.mailbox.notices import NewNotice
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import check_runs, credentials, onboarding, registry
from db.tenants.changes import Changes
from db.tenants.check_runs import CheckRun, DueCheck
from relay.actors.line_checks import LineCheckActor
from relay.checks.line_checks import OwnInstallation
from relay.runtime.actor import Ping
from tests.contract.relay_side import Relay
from tests.waiting import PATIENCE

BY = Author("test")


@pytest.fixture
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres) as made:
        with made.autocommit() as cursor:  # other tests' lines are not looked at
            cursor.execute("UPDATE lines SET status = 'pending' WHERE status = 'active'")
        yield made


def runs(pool: Pool, line_id: str) -> list[CheckRun]:
    return check_runs.of_lines(pool, [line_id], 10).get(line_id, [])


def is_due(pool: Pool, line_id: str) -> bool:
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT due_at <= now() + interval '2 minutes' FROM check_schedules WHERE line_id = %s", (line_id,)
        )
        return bool(cursor.fetchone()[0])


def test_a_live_line_is_checked_and_what_stays_the_same_is_one_run(relay: Relay, pool: Pool) -> None:
    cipher, changes = Cipher([Fernet.generate_key().decode()]), Changes(pool, lambda _: None)
    tenant = registry.create(changes, BY, f"Shop {uuid.uuid4()}")
    credentials.put(changes, cipher, BY, tenant.id, "whatsapp", dict(relay.number.credentials))
    credentials.put(changes, cipher, BY, tenant.id, "genesys", dict(relay.integration.credentials))
    line = onboarding.create(changes, cipher, BY, tenant.id, relay.number.line_ref, relay.integration.line_ref)
    onboarding.activate(changes, BY, tenant.id, [line.pair])
    parts = SimpleNamespace(
        pool=pool, cipher=cipher, channels={"whatsapp": relay.meta, "genesys": relay.genesys},
        ours=OwnInstallation(relay.url), timers=SimpleNamespace(after=lambda *_: None),
    )  # fmt: skip

    def checked() -> CheckRun:
        check_runs.tidy(pool)
        with pool.autocommit() as cursor:
            cursor.execute("UPDATE check_schedules SET due_at = now() WHERE line_id = %s", (line.id,))
        actor = LineCheckActor.start(parts)
        actor.ask(Ping(), timeout=PATIENCE)
        actor.stop()
        return runs(pool, line.id)[0]

    first = checked()
    assert (first.times, first.looked > 5) == (1, True)
    assert {one["check"] for one in first.findings} >= {"quality"}, (
        "what is to be compared is kept though it is in order"
    )
    assert not is_due(pool, line.id)
    again = checked()
    assert (again.times, again.begun_at) == (2, first.begun_at)
    relay.control("faults", meta={"token_expired": "for_good"})
    refused = checked()
    assert (refused.worst, len(runs(pool, line.id))) == ("refused", 2)
    assert any(one["level"] == "refused" and one["side"] == "whatsapp" for one in refused.findings)
    relay.control("faults", meta=None)
    assert {one["side"] for one in checked().findings if one["level"] == "refused"} == {"relay"}, "here is no web"

    payload = {"event": "FLAGGED"}
    with pool.transaction() as cursor:
        notices.keep(
            cursor,
            [NewNotice(tenant.id, line.id, "whatsapp", "phone_number_quality_update", "x", payload, time.time())],
        )
    assert is_due(pool, line.id), "news of a number have it looked at soon"
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE lines SET status = 'released' WHERE id = %s", (line.id,))
    check_runs.tidy(pool)
    with pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM check_schedules WHERE line_id = %s", (line.id,))
        assert cursor.fetchone()[0] == 0


def test_the_history_of_a_line_has_an_end(pool: Pool) -> None:
    changes = Changes(pool, lambda _: None)
    tenant = registry.create(changes, BY, f"Shop {uuid.uuid4()}")
    cipher = Cipher([Fernet.generate_key().decode()])
    line = onboarding.create(changes, cipher, BY, tenant.id, str(uuid.uuid4()), str(uuid.uuid4()))
    for n in range(check_runs.KEPT + 5):
        check_runs.put(pool, DueCheck(line.id, tenant.id), "warning", 1, [{"check": str(n)}])
    kept = check_runs.of_lines(pool, [line.id], 1000)[line.id]
    assert len(kept) == check_runs.KEPT
    assert kept[0].findings == [{"check": str(check_runs.KEPT + 4)}], "the newest"
    with pool.autocommit() as cursor:
        cursor.execute("UPDATE check_runs SET at = now() - interval '91 days' WHERE line_id = %s", (line.id,))
    check_runs.tidy(pool)
    assert runs(pool, line.id) == []
