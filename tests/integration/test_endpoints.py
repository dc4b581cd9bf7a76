"""Tenants' endpoints are told what happens: all of it, in order per conversation, at least once, signed."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from db.endpoints import log, outbox, registry
from db.pool import Pool
from relay.channels.webhooks.signing import new_secret
from relay.core.endpoints import posting
from tests.integration.endpoint_world import BY, CIPHER, EndpointWorld, telling
from tests.integration.rows import new_message
from tests.unit.relay.channels.servers import Asked, Served, answer, serving
from tests.waiting import wait_until
from web.api.tenants.endpoint_schemas import PostedEvent


@pytest.fixture(scope="module")
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres, size=5) as pool:
        yield pool


@pytest.fixture
def world(pool: Pool) -> EndpointWorld:
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM endpoints")
        cursor.execute("DELETE FROM endpoint_events")
    return EndpointWorld(pool)


def test_everything_is_told_in_order_though_every_other_post_fails(
    world: EndpointWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "LONGEST_PAUSE", 0.5)  # `make events` has the whole of it
    with serving(world.half(seed=12)) as served:
        world.endpoint(f"{served.url}/in")
        events = world.happen(conversations=25, messages=2)
        with telling(world.pool, served.url):
            wait_until(lambda: world.states() == {"delivered": events}, message="all to be told")
    world.assert_all_in_order()
    for _, body in world.told:
        PostedEvent.model_validate(body)
    assert world.posts > events
    assert {body["type"] for _, body in world.told} == {
        f"message.{one}" for one in ("received", "sent", "delivered", "read")
    }


def test_of_a_tenant_without_an_endpoint_nothing_is_written(world: EndpointWorld) -> None:
    world.happen(conversations=2)
    assert world.states() == {}
    wanted = "SELECT bool_or(events_wanted) FROM message_tracking WHERE tenant_id = %s"
    assert world.rows(wanted, UUID(world.tenant_id)) == [(False,)]


def test_only_what_was_asked_for_is_told_and_only_while_it_is_on(world: EndpointWorld) -> None:
    endpoint = world.endpoint("https://hooks.shop.example/in", kinds=["message.read", "line.health"])
    world.happen(conversations=1)
    world.rows("UPDATE lines SET status = 'active' WHERE id = %s", UUID(world.line_id))
    kinds = world.rows("SELECT kind, data->>'health' FROM endpoint_events ORDER BY seq")
    assert kinds == [("message.read", None), ("line.health", "active")]
    registry.change(world.pool, BY, world.tenant_id, endpoint.id, {"active": False})
    world.happen(conversations=1)
    assert sum(world.states().values()) == 2


def test_what_was_said_is_told_only_where_the_endpoint_wants_it(world: EndpointWorld) -> None:
    with serving(world.handler) as served:
        plain = world.endpoint(f"{served.url}/plain", kinds=["message.received"])
        world.endpoint(f"{served.url}/contents", kinds=["message.received"], contents=True)
        row = new_message(world.pool, world.line_id)
        known = "UPDATE conversation_mappings SET wa_id = genesys_address WHERE id = %s RETURNING wa_id"
        [(wa_id,)] = world.rows(known, UUID(row.conversation_id))
        with telling(world.pool, served.url):
            wait_until(lambda: world.states() == {"delivered": 2}, message="both to be told")
    for _, body in world.told:
        PostedEvent.model_validate(body)
    bodies = {asked.path: body["data"] for asked, (_, body) in zip(served.asked, world.told, strict=True)}
    assert "content" not in bodies["/plain"]
    assert wa_id not in str(bodies["/plain"])
    assert bodies["/contents"]["content"]["contact"]["wa_id"] == wa_id
    assert bodies["/plain"] == {name: one for name, one in bodies["/contents"].items() if name != "content"}
    assert plain.trouble is None


def test_a_slow_endpoint_slows_no_other(world: EndpointWorld) -> None:
    def hangs(_: Served, sock: object, asked: Asked) -> bool:
        return bool(sock.recv(1)) if asked.path == "/slow" else world.handler(_, sock, asked)  # type: ignore[attr-defined,arg-type]

    with serving(hangs) as served:
        slow = world.endpoint(f"{served.url}/slow")
        quick = world.endpoint(f"{served.url}/quick")
        events = world.happen(conversations=12)
        with telling(world.pool, served.url):
            wait_until(lambda: len(world.told) == events, message="the quick one to be told")
            wait_until(lambda: log.counts(world.pool, quick.id)["waiting"] == 0, message="that to be written")
            assert log.counts(world.pool, slow.id)["waiting"] == events


def test_one_that_only_fails_rests_and_says_why_and_is_told_all_once_it_works_again(world: EndpointWorld) -> None:
    works = False

    def mends(served: Served, sock: object, asked: Asked) -> bool:
        return world.handler(served, sock, asked) if works else answer(sock, b"down", 503)  # type: ignore[arg-type]

    with serving(mends) as served:
        endpoint = world.endpoint(f"{served.url}/in")
        events = world.happen(conversations=30)
        with telling(world.pool, served.url):
            wait_until(
                lambda: registry.get(world.pool, world.tenant_id, endpoint.id).rests_until is not None,
                message="it to rest",
            )
            assert registry.get(world.pool, world.tenant_id, endpoint.id).trouble == "it answered 503"
            assert len(served.asked) < 30
            works = True
            wait_until(lambda: world.states() == {"delivered": events}, message="all to be told")
    world.assert_all_in_order()
    assert registry.get(world.pool, world.tenant_id, endpoint.id).trouble is None


def test_while_all_that_waits_is_put_off_the_endpoint_keeps_its_trouble(world: EndpointWorld) -> None:
    """What was found out about it is not forgotten by a look that posts nothing."""
    with serving(lambda _, sock, __: answer(sock, b"", 500)) as served:
        endpoint = world.endpoint(f"{served.url}/in")
        world.happen(conversations=1)
        with telling(world.pool, served.url):
            wait_until(lambda: len(served.asked) > 2, message="it to be tried")
            world.rows("UPDATE endpoint_events SET due_at = now() + interval '1 hour'")
            asked = len(served.asked)
            world.rows("UPDATE endpoints SET taken_until = '-infinity', rests_until = '-infinity'")
            wait_until(
                lambda: world.rows("SELECT 1 FROM endpoints WHERE rests_until > '-infinity'"), message="a look at it"
            )
    assert len(served.asked) <= asked + 1
    assert registry.get(world.pool, world.tenant_id, endpoint.id).trouble == "it answered 500"


def test_endpoints_are_taken_in_turns(world: EndpointWorld) -> None:
    for each in (world, EndpointWorld(world.pool), EndpointWorld(world.pool)):
        each.endpoint("https://hooks.shop.example/in")
        each.happen(1)
    [(waiting,)] = world.rows(
        """SELECT count(*) FROM endpoints e WHERE active AND EXISTS (
             SELECT 1 FROM endpoint_events v WHERE v.endpoint_id = e.id AND v.state = 'waiting')"""
    )
    taken = []
    for _ in range(waiting):
        [one] = outbox.take(world.pool, CIPHER, 60.0, 1)
        taken.append(one.id)
        outbox.put_back(world.pool, one, 0.0)
    assert len(set(taken)) == waiting >= 3


def test_one_that_is_gone_for_good_is_switched_off(world: EndpointWorld) -> None:
    with serving(lambda _, sock, __: answer(sock, b"", 410)) as served:
        endpoint = world.endpoint(f"{served.url}/in")
        world.happen(conversations=1)
        with telling(world.pool, served.url):
            wait_until(
                lambda: not registry.get(world.pool, world.tenant_id, endpoint.id).active, message="it to be off"
            )
    assert "410" in (registry.get(world.pool, world.tenant_id, endpoint.id).off_reason or "")


def test_what_nobody_took_for_a_day_is_dead_and_can_be_told_again(world: EndpointWorld) -> None:
    with serving(world.handler) as served:
        endpoint = world.endpoint(f"{served.url}/in")
        events = world.happen(conversations=2)
        world.rows("UPDATE endpoint_events SET expires_at = now()")
        with world.pool.transaction() as cursor:
            assert outbox.give_up_old(cursor) == events
        found = log.events(world.pool, world.tenant_id, endpoint.id, "dead", None, 3)
        assert [one.kind for one in found] == ["message.read", "message.delivered", "message.sent"]
        assert log.replay(world.pool, BY, world.tenant_id, endpoint.id, [found[0].id]) == 1
        assert log.replay(world.pool, BY, world.tenant_id, endpoint.id, None) == events - 1
        with telling(world.pool, served.url):
            wait_until(lambda: world.states() == {"delivered": events}, message="all to be told")
    world.assert_all_in_order()
    [post] = log.posts(world.pool, world.tenant_id, endpoint.id, found[0].id)
    assert (post.n, post.status, post.code) == (1, 204, None)


def test_a_secret_that_was_replaced_signs_for_a_day_beside_the_new_one(world: EndpointWorld) -> None:
    endpoint = world.endpoint("https://hooks.shop.example/in")
    newer = new_secret()
    registry.rotate(world.pool, CIPHER, BY, world.tenant_id, endpoint.id, newer)
    [(sealed,)] = world.rows("SELECT sealed FROM endpoints WHERE id = %s", UUID(endpoint.id))
    assert world.secret not in sealed
    until = CIPHER.open(sealed)["until"]
    assert registry.secrets_of(CIPHER, sealed, until - 1) == (newer, world.secret)
    assert registry.secrets_of(CIPHER, sealed, until + 1) == (newer,)


def test_a_tenant_has_a_few_endpoints_at_most_and_each_change_is_in_the_audit_log(world: EndpointWorld) -> None:
    made = [world.endpoint(f"https://hooks.shop.example/secret-{n}") for n in range(registry.MOST)]
    with pytest.raises(registry.TooManyEndpointsError):
        world.endpoint("https://hooks.shop.example/more")
    registry.change(world.pool, BY, world.tenant_id, made[0].id, {"url": "https://other.shop.example/secret"})
    log.test(world.pool, BY, world.tenant_id, made[0].id)
    registry.delete(world.pool, BY, world.tenant_id, made[0].id)
    lines = world.rows(
        "SELECT action, detail::text FROM audit_log WHERE tenant_id = %s ORDER BY id", UUID(world.tenant_id)
    )
    assert [one for one, _ in lines[registry.MOST :]] == ["endpoint.changed", "endpoint.tested", "endpoint.deleted"]
    assert "secret" not in str([detail for _, detail in lines])


def test_what_ended_goes_after_its_days(world: EndpointWorld) -> None:
    world.endpoint("https://hooks.shop.example/in")
    world.happen(conversations=2)
    world.rows(
        """UPDATE endpoint_events SET ended_at = now() - interval '8 days',
             state = CASE kind WHEN 'message.read' THEN 'dead' ELSE 'delivered' END"""
    )
    with world.pool.transaction() as cursor:
        assert outbox.drop_old(cursor) == 6
    assert world.states() == {"dead": 2}
    world.rows("UPDATE endpoint_events SET ended_at = now() - interval '31 days'")
    with world.pool.transaction() as cursor:
        assert outbox.drop_old(cursor) == 2
