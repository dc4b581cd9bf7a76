"""Unknown numbers: kept, listed, and replayed once a line owns them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kombu import Connection, Consumer, Queue

from db.pool import Pool
from db.tenants import unknown_lines
from db.tenants.unknown_lines import Signer
from relay.broker.updates import unpacked
from relay.core.messages import Update, load
from relay.core.queues import INBOUND, queue_name, queue_number
from tests.api.conftest import META_SECRET, Api
from tests.api.test_rotation import active_line
from tests.waiting import PATIENCE
from web.request.web_context import WebContext

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


STRANGER = Signer("0" * 32, None)


@pytest.fixture
def signer(parts: WebContext) -> Signer:
    """The tenant's own app, as in WHATSAPP: it signs for the tenant's numbers."""
    return Signer(parts.signers.digest(META_SECRET), None)


@pytest.fixture
def kept(pool: Pool, signer: Signer) -> None:
    rows = [("3001", "4915112345678", n, {"n": n}) for n in range(3)]
    unknown_lines.keep(pool, "whatsapp", signer, rows, ARRIVED, "no active line has this id")


def test_they_are_listed_with_who_signed_them(
    api: Api, kept: None, pool: Pool, new_tenant: Callable[..., str], signer: Signer
) -> None:
    tenant_id = new_tenant("Other")
    rows = [("3001", "4915112345678", 0, {"n": 4})]
    unknown_lines.keep(pool, "whatsapp", Signer("a" * 32, tenant_id), rows, ARRIVED, "no active line has this id")
    found = {one["signer"]: one for one in api("GET", "/api/unknown-numbers").get_json()["items"]}
    assert {(one["channel"], one["line_ref"]) for one in found.values()} == {("whatsapp", "3001")}
    assert (found[signer.digest]["waiting"], found[signer.digest]["tenant"]) == (3, None)
    other = found["a" * 32]
    assert (other["waiting"], other["tenant_id"], other["tenant"]) == (1, tenant_id, "Other")


def test_what_one_signer_sent_can_be_deleted(api: Api, kept: None, pool: Pool, signer: Signer) -> None:
    unknown_lines.keep(pool, "whatsapp", STRANGER, [("3001", "49", 0, {})], ARRIVED, "nobody's")
    unknown_lines.keep(pool, "whatsapp", STRANGER, [("", "", 0, {"unreadable": "<"})], ARRIVED, "not readable")
    path = f"/api/unknown-numbers/whatsapp/3001?signer={STRANGER.digest}"
    assert api("DELETE", path).get_json() == {"deleted": 1, "left": 0}
    assert unknown_lines.count(pool, "whatsapp", "3001") == 3
    assert api("DELETE", "/api/unknown-numbers/whatsapp").get_json() == {"deleted": 1, "left": 0}
    assert api("DELETE", "/api/unknown-numbers/whatsapp/3001").get_json() == {"deleted": 3, "left": 0}
    with pool.autocommit() as cursor:
        cursor.execute("SELECT sum(items), sum(bytes) FROM unknown_quotas")
        assert cursor.fetchone() == (0, 0)


def test_a_replay_needs_a_line(api: Api, kept: None, pool: Pool) -> None:
    api.error(api("POST", "/api/unknown-numbers/whatsapp/3001/replay"), 409, "still_unknown")
    api.error(api("POST", "/api/unknown-numbers/telegram/3001/replay"), 400, "invalid_request")
    assert unknown_lines.count(pool, "whatsapp", "3001") == 3


def test_what_was_kept_goes_to_the_queue_in_order_and_once(
    api: Api, kept: None, new_tenant: Callable[..., str], parts: WebContext, pool: Pool, settings_env: dict[str, str]
) -> None:
    tenant_id = new_tenant()
    line_id = active_line(parts, pool, tenant_id)
    answer = api("POST", "/api/unknown-numbers/whatsapp/3001/replay")
    assert answer.get_json() == {"replayed": 3, "left": 0, "not_proved": 0}
    again = api("POST", "/api/unknown-numbers/whatsapp/3001/replay").get_json()
    assert again == {"replayed": 0, "left": 0, "not_proved": 0}
    assert api("GET", "/api/unknown-numbers").get_json() == {"items": []}
    updates: list[Update] = []

    def take(message: Any) -> None:
        updates.extend(load(Update, one) for one in unpacked(bytes(message.body)))

    with Connection(settings_env["BROKER_URL"]) as connection:
        queue = Queue(queue_name(INBOUND, queue_number(line_id, "4915112345678", parts.shards)), no_declare=True)
        with Consumer(connection, [queue], on_message=take, no_ack=True):
            while len(updates) < 3:
                connection.drain_events(timeout=PATIENCE)
    assert [one.index for one in updates] == [0, 1, 2]
    assert {(one.tenant_id, one.line_id, one.arrived_at) for one in updates} == {
        (tenant_id, line_id, ARRIVED.timestamp())
    }
