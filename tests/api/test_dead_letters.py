"""Dead letters through the API: found, shown, sent again; and the broker's, which nobody could decode."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.access import api_keys
from db.audit import Author
from db.mailbox import replay_steps
from db.pool import Pool
from relay.broker import topology
from relay.broker.dead_letters import AT_ONCE, route
from relay.broker.publisher import Outgoing
from relay.broker.updates import packed
from relay.core.messages import Message, Person, Update, dump
from relay.core.queues import DEAD_LETTERS, INBOUND
from tests.api.conftest import META_SECRET, Api
from tests.api.test_rotation import active_line
from tests.integration.rows import NOW, new_message, sent_message
from tests.waiting import wait_until
from web.request.web_context import WebContext


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str]) -> str:
    return new_tenant()


@pytest.fixture
def line_id(parts: WebContext, pool: Pool, tenant_id: str) -> str:
    return active_line(parts, pool, tenant_id)


def bury(pool: Pool, *ids: str, state: str = "dead", code: str = "131000", days: float = 0) -> None:
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE message_tracking SET state = %s, reason_code = %s, reason = 'why', attempts = 1,
                 failed_at = now() - make_interval(days => %s), report = 'failed', reported = 'failed'
               WHERE id = ANY(%s::uuid[])""",
            (state, code, int(days), list(ids)),
        )


def states(pool: Pool, *ids: str) -> list[str]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT id, state FROM message_tracking WHERE id = ANY(%s::uuid[])", (list(ids),))
        found = {str(row[0]): row[1] for row in cursor.fetchall()}
    return [found[one] for one in ids]


def test_listed_by_what_they_are(api: Api, pool: Pool, tenant_id: str, line_id: str) -> None:
    outbound, inbound = sent_message(pool, line_id), sent_message(pool, line_id, "inbound")
    sent_message(pool, line_id)
    bury(pool, outbound.id, code="131026")
    bury(pool, inbound.id, code="internal_error")

    def ids(query: str = "", **headers: str) -> list[str]:
        answer = api("GET", f"/api/dead-letters{query}", **{"X_Tenant_ID": tenant_id} | headers)
        return [one["id"] for one in answer.get_json()["items"]]

    assert ids() == [inbound.id, outbound.id]
    assert ids("?direction=outbound") == [outbound.id]
    assert ids("?reason_code=internal_error") == [inbound.id]
    assert ids(f"?line_id={line_id}") == [inbound.id, outbound.id]
    since = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=1)
    assert ids(f"?since={since:%Y-%m-%dT%H:%M:%SZ}") == []
    everybodys = api("GET", "/api/dead-letters").get_json()["items"]
    assert [one["id"] for one in everybodys] == [inbound.id, outbound.id], "the operator sees those of all"
    shown = api("GET", f"/api/dead-letters/{outbound.id}").get_json()
    assert (shown["state"], shown["reason_code"]) == ("dead", "131026")


def test_in_pages(api: Api, pool: Pool, tenant_id: str, line_id: str) -> None:
    buried = [new_message(pool, line_id).id for _ in range(5)]
    bury(pool, *buried)
    seen, before = [], ""
    while True:
        page = api("GET", f"/api/dead-letters?limit=2{before}", X_Tenant_ID=tenant_id).get_json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == buried[::-1]


def test_replay_by_id(api: Api, pool: Pool, tenant_id: str, line_id: str) -> None:
    dead, failed, old, sent = (sent_message(pool, line_id).id for _ in range(4))
    bury(pool, dead)
    bury(pool, failed, state="failed")
    bury(pool, old, state="failed", days=8)
    nobody = "0b9fb2bc-52b6-4a4c-9a9d-9d4b1d0b5a10"
    with pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sent' WHERE id = %s", (sent,))
    body = {"ids": [dead, failed, old, sent, nobody]}
    done = api("POST", "/api/dead-letters/replay", body, X_Tenant_ID=tenant_id).get_json()
    assert done["replayed"] == 2
    assert {one["id"]: one["reason"] for one in done["refused"]} == {
        old: "it failed more than seven days ago",
        sent: "it is sent: only what was given up or failed can be replayed",
        nobody: "there is no such message",
    }
    assert states(pool, dead, failed, old, sent) == ["received", "received", "failed", "sent"]
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT reason, failed_at, report, reported, attempts FROM message_tracking WHERE id = %s", (dead,)
        )
        assert cursor.fetchone() == (None, None, None, None, 1), "its calls stay, its end is forgotten"
    log = api("GET", f"/api/tenants/{tenant_id}/audit").get_json()["items"]
    [entry] = [one for one in log if one["action"] == "message.replayed"]
    assert entry["detail"]["count"] == 2
    history = api("GET", f"/api/messages/{dead}").get_json()["history"]
    assert history[-1]["event"] == "replayed"


def test_a_replay_of_many_is_begun_watched_and_cancelled(api: Api, pool: Pool, tenant_id: str, line_id: str) -> None:
    """What daemons do with it: tests/integration/test_replays.py."""
    buried = [new_message(pool, line_id).id for _ in range(3)]
    bury(pool, *buried)
    bury(pool, buried[0], code="131026")
    named = {"X_Tenant_ID": tenant_id}
    answer = api("POST", "/api/dead-letters/replays", {"reason_code": "131000", "line_id": line_id}, **named)
    begun = answer.get_json()
    assert (answer.status_code, begun["state"], begun["total"], begun["put_back"]) == (202, "running", 2, 0)
    assert api("GET", answer.headers["Location"], **named).get_json() == begun
    api.error(api("POST", "/api/dead-letters/replays", {}, **named), 409, "replay_running")
    assert replay_steps.step(pool)
    held = api("GET", answer.headers["Location"], **named).get_json()
    assert (held["state"], held["put_back"], held["under_way"]) == ("done", 2, 2)
    assert states(pool, *buried) == ["dead", "received", "received"]
    second = api("POST", "/api/dead-letters/replays", {"ids": buried}, **named).get_json()
    ended = api("POST", f"/api/dead-letters/replays/{second['id']}/cancel", {}, **named).get_json()
    assert (ended["state"], ended["total"], ended["chosen"]) == ("cancelled", 1, True)
    assert ended["ended_by"] == ended["started_by"]
    assert replay_steps.step(pool) is None
    listed = api("GET", "/api/dead-letters/replays", **named).get_json()["items"]
    assert [one["id"] for one in listed] == [second["id"], begun["id"]]
    bury(pool, *buried, state="sent")
    api.error(api("POST", "/api/dead-letters/replays", {}, **named), 404, "not_found")


def test_dead_letters_are_counted_by_reason(api: Api, pool: Pool, tenant_id: str, line_id: str) -> None:
    bury(pool, *(new_message(pool, line_id).id for _ in range(2)), code="131026")
    bury(pool, new_message(pool, line_id, "inbound").id)
    found = api("GET", "/api/dead-letters/reasons", X_Tenant_ID=tenant_id).get_json()["items"]
    assert [(one["code"], one["text"], one["count"]) for one in found] == [("131026", "why", 2), ("131000", "why", 1)]
    found = api("GET", "/api/dead-letters/reasons?direction=inbound", X_Tenant_ID=tenant_id).get_json()["items"]
    assert [one["code"] for one in found] == ["131000"]


def test_who_may(api: Api, pool: Pool, new_tenant: Callable[..., str], tenant_id: str, line_id: str) -> None:
    dead = sent_message(pool, line_id).id
    bury(pool, dead)
    _, reader = api_keys.create(pool, Author("test"), tenant_id, "r", ["messages:read"], None)
    api.error(api("POST", "/api/dead-letters/replay", {"ids": [dead]}, key=reader), 403, "forbidden")
    _, other = api_keys.create(
        pool, Author("test"), new_tenant("Other"), "o", ["messages:read", "messages:replay"], None
    )
    assert api("GET", "/api/dead-letters", key=other).get_json()["items"] == []
    api.error(api("GET", f"/api/dead-letters/{dead}", key=other), 404, "not_found")
    done = api("POST", "/api/dead-letters/replay", {"ids": [dead]}, key=other).get_json()
    assert done["refused"] == [{"id": dead, "reason": "there is no such message"}]
    api.error(api("POST", "/api/dead-letters/replays", {}, key=other), 404, "not_found")
    api.error(api("POST", "/api/dead-letters/replays", {}, key=reader), 403, "forbidden")
    named = {"X_Tenant_ID": new_tenant("Third")}
    assert api("POST", "/api/dead-letters/replay", {"ids": [dead]}, **named).get_json()["replayed"] == 0
    api.error(api("POST", "/api/dead-letters/replays", {}, **named), 404, "not_found")
    assert states(pool, dead) == ["dead"]
    api.error(api("POST", "/api/dead-letters/replays", {}), 400, "tenant_missing")
    begun = api("POST", "/api/dead-letters/replays", {}, X_Tenant_ID=tenant_id).get_json()
    address = f"/api/dead-letters/replays/{begun['id']}"
    api.error(api("GET", address, key=other), 404, "not_found")
    api.error(api("POST", f"{address}/cancel", {}, key=other), 404, "not_found")
    assert api("POST", f"{address}/cancel", {}, X_Tenant_ID=tenant_id).get_json()["state"] == "cancelled"
    bodies: list[dict[str, Any]] = [{}, {"ids": []}, {"ids": [dead] * 51}, {"all": True}]
    for body in bodies:
        api.error(api("POST", "/api/dead-letters/replay", body), 400, "invalid_request")


@pytest.fixture
def queued(parts: WebContext, settings_env: dict[str, str]) -> Iterator[Callable[[bytes], None]]:
    """Puts an update into DEAD_LETTERS, as a shard does."""

    def put(body: bytes) -> None:
        parts.publisher.publish([Outgoing("", DEAD_LETTERS, body, {"reason": "ValueError: odd"})], 10)

    yield put
    parts.dead_letters.bring_back(lambda _: Outgoing("", DEAD_LETTERS + "_gone", b""), lambda _: None, 1000)


def test_the_brokers_are_looked_at_and_what_is_still_proved_is_brought_back(
    api: Api,
    parts: WebContext,
    pool: Pool,
    new_tenant: Callable[..., str],
    settings_env: dict[str, str],
    queued: Callable[[bytes], None],
) -> None:
    payload = {"messages": [{"id": "wamid.1", "access_token": "EAAGsecretsecret"}]}
    owner = new_tenant("Owner")
    line_id = active_line(parts, pool, owner)
    signer = parts.signers.digest(META_SECRET)
    queued(dump(Update("whatsapp", owner, line_id, "4915112345678", NOW, 0, payload, signer=signer)))
    queued(b"nothing that anybody can read")
    # Signed with a secret that does not count for this line: a former one, or another tenant's.
    queued(dump(Update("whatsapp", owner, line_id, "4915112345678", NOW, 1, payload, signer="0" * 32)))
    queued(dump(Update("whatsapp", "somebody else", line_id, "4915112345678", NOW, 2, payload, signer=signer)))
    for _ in range(2):
        listed = api("GET", "/api/dead-letters/broker").get_json()
        assert listed["waiting"] == 4
        assert [one["readable"] for one in listed["items"]] == [True, False, True, True]
        assert [one["proved"] for one in listed["items"]] == [True, False, False, False]
        assert listed["items"][0]["reason"] == "ValueError: odd"
        assert listed["items"][0]["payload"]["messages"][0] == {"id": "wamid.1", "access_token": "[secret]"}
    done = api("POST", "/api/dead-letters/broker/replay", {}).get_json()
    assert (done["replayed"], done["stayed"]) == (1, 3)
    wait_until(lambda: topology.waiting(settings_env["BROKER_URL"], parts.shards) == 1, message="it to be in its queue")
    letter = api("GET", "/api/dead-letters/broker").get_json()["items"]
    assert [one["proved"] for one in letter] == [False, False, False]


def test_what_stays_hides_nothing_behind_it(
    api: Api,
    parts: WebContext,
    pool: Pool,
    new_tenant: Callable[..., str],
    settings_env: dict[str, str],
    queued: Callable[[bytes], None],
) -> None:
    """However many they are: all are found, and all that may go do."""
    owner = new_tenant("Owner")
    line_id, signer = active_line(parts, pool, owner), parts.signers.digest(META_SECRET)
    for n in range(AT_ONCE + 20):
        queued(b"nothing that anybody can read, no. %d" % n)
    for n in range(30):
        queued(dump(Update("whatsapp", owner, line_id, "4915112345678", NOW, n, {"n": n}, signer=signer)))
    for _ in range(2):
        found = api("GET", "/api/dead-letters/broker?limit=1000").get_json()
        assert (found["waiting"], len(found["items"])) == (AT_ONCE + 50, AT_ONCE + 50)
        assert sum(one["proved"] for one in found["items"]) == 30
    done = api("POST", "/api/dead-letters/broker/replay", {"limit": 20}).get_json()
    assert (done["replayed"], done["left"]) == (20, AT_ONCE + 30)
    done = api("POST", "/api/dead-letters/broker/replay", {}).get_json()
    assert (done["replayed"], done["stayed"]) == (10, AT_ONCE + 20)


def test_several_updates_in_one_message_are_read_as_well(
    api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str], queued: Callable[[bytes], None]
) -> None:
    owner = new_tenant("Owner")
    line_id, signer = active_line(parts, pool, owner), parts.signers.digest(META_SECRET)
    pair = [Update("whatsapp", owner, line_id, "49", NOW, n, {"n": n}, signer=signer) for n in range(2)]
    [message] = packed(((one, dump(one)) for one in pair), parts.shards)
    queued(message.body)
    [shown] = api("GET", "/api/dead-letters/broker").get_json()["items"]
    assert (shown["readable"], shown["proved"], shown["payload"]) == (True, True, [{"n": 0}, {"n": 1}])


def test_the_broker_is_the_operators(api: Api, pool: Pool, tenant_id: str) -> None:
    _, own = api_keys.create(pool, Author("test"), tenant_id, "k", ["payloads:read", "messages:replay"], None)
    api.error(api("GET", "/api/dead-letters/broker", key=own), 403, "forbidden")
    api.error(api("POST", "/api/dead-letters/broker/replay", {}, key=own), 403, "forbidden")


def test_an_update_goes_where_its_line_and_address_say(parts: WebContext) -> None:
    update = Update("whatsapp", "t", "line", "49", NOW, 0, {})
    found = route(dump(update), 16, lambda _: True)
    assert found
    assert (found.exchange, json.loads(found.body)["address"]) == (INBOUND, "49")
    assert route(dump(Update("telegram", "t", "l", "49", NOW, 0, {})), 16, lambda _: True) is None
    assert route(dump(Message("m", Person("49"), NOW)), 16, lambda _: True) is None
