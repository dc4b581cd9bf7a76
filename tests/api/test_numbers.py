"""Unknown numbers: kept, listed, and replayed once a line owns them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from kombu import Connection, Consumer, Queue

from db import unknown_lines
from db.pool import Pool
from relay.core.messages import Update, load
from relay.core.queues import INBOUND, queue_name, queue_number
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from tests.waiting import PATIENCE
from web.parts import WebParts

ARRIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def kept(pool: Pool) -> None:
    rows = [("3001", "4915112345678", n, {"n": n}) for n in range(3)]
    unknown_lines.keep(pool, "whatsapp", rows, ARRIVED, "no active line has this id")


def test_they_are_listed(api: Api, kept: None) -> None:
    [one] = api("GET", "/api/unknown-numbers").get_json()["items"]
    assert (one["channel"], one["line_ref"], one["waiting"]) == ("whatsapp", "3001", 3)


def test_a_replay_needs_a_line(api: Api, kept: None, pool: Pool) -> None:
    api.error(api("POST", "/api/unknown-numbers/whatsapp/3001/replay"), 409, "still_unknown")
    api.error(api("POST", "/api/unknown-numbers/telegram/3001/replay"), 400, "invalid_request")
    assert unknown_lines.count(pool, "whatsapp", "3001") == 3


def test_what_was_kept_goes_to_the_queue_in_order_and_once(
    api: Api, kept: None, new_tenant: Callable[..., str], parts: WebParts, pool: Pool, settings_env: dict[str, str]
) -> None:
    tenant_id = new_tenant()
    line_id = active_line(parts, pool, tenant_id)
    answer = api("POST", "/api/unknown-numbers/whatsapp/3001/replay")
    assert answer.get_json() == {"replayed": 3, "left": 0}
    assert api("POST", "/api/unknown-numbers/whatsapp/3001/replay").get_json() == {"replayed": 0, "left": 0}
    assert api("GET", "/api/unknown-numbers").get_json() == {"items": []}
    updates: list[Update] = []
    with Connection(settings_env["BROKER_URL"]) as connection:
        queue = Queue(queue_name(INBOUND, queue_number(line_id, "4915112345678", parts.shards)), no_declare=True)
        with Consumer(connection, [queue], on_message=lambda m: updates.append(load(Update, m.body)), no_ack=True):
            while len(updates) < 3:
                connection.drain_events(timeout=PATIENCE)
    assert [one.index for one in updates] == [0, 1, 2]
    assert {(one.tenant_id, one.line_id, one.arrived_at) for one in updates} == {
        (tenant_id, line_id, ARRIVED.timestamp())
    }
