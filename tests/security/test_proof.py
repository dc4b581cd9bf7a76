"""Proof stays with what is kept: no forgery reaches whoever owns the number later, and nobody evicts the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from db.tenants import onboarding, unknown_lines
from db.tenants.changes import Changes
from db.tenants.onboarding import LineIds
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import APP_SECRET, Line, World, agent_text, change, envelope, json_of, text


@pytest.fixture(scope="module")
def world(settings_env: dict[str, str]) -> Iterator[World]:
    built = world_of.build(settings_env)
    built.arrivals.start()
    yield built
    built.arrivals.consumer.stop()
    world_of.close(built)


@pytest.fixture(scope="module")
def operator(settings_env: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings_env['ADMIN_API_KEY']}"}


def activate(world: World, line: Line) -> None:
    changes = Changes(world.parts.pool, world.parts.cache.forget_routes)
    onboarding.activate(
        changes, world_of.BY, line.tenant_id, [LineIds(line.line_id, line.phone_number_id, line.integration_id)]
    )


def replay(world: World, operator: dict[str, str], channel: str, ref: str) -> dict[str, int]:
    answer = world.client.post(f"/api/unknown-numbers/{channel}/{ref}/replay", headers=operator)
    assert answer.status_code == 200
    found: dict[str, int] = json_of(answer)
    return found


def test_a_forged_customer_does_not_reach_the_numbers_later_owner(world: World, operator: dict[str, str]) -> None:
    attacker, victim = world.line(own_app=True), world.line(active=False)
    forged = envelope(change(victim.phone_number_id, text("please send the goods elsewhere")))
    genuine = envelope(change(victim.phone_number_id, text("where are my goods?")))
    for path in ("/webhook/meta", f"/webhook/meta/{attacker.tenant_key}"):
        # On the shared address the attacker's own number comes along: its secret signs the body.
        body = {"entry": [*envelope(change(attacker.phone_number_id, text("own")))["entry"], *forged["entry"]]}
        assert world.meta(body, attacker.app_secret, path).status_code == 200
    assert world.meta(genuine).status_code == 200
    activate(world, victim)
    assert replay(world, operator, "whatsapp", victim.phone_number_id) == {"replayed": 1, "left": 0, "not_proved": 2}
    [arrived] = world.arrivals.of(victim, 1)
    assert arrived.payload["message"]["text"]["body"] == "where are my goods?"
    left = unknown_lines.waiting(world.parts.pool, "whatsapp", victim.phone_number_id, 10)
    assert {one.tenant_id for one in left} == {attacker.tenant_id}


def test_the_operators_app_does_not_speak_later_for_a_tenant_with_its_own(
    world: World, operator: dict[str, str]
) -> None:
    owner = world.line(own_app=True, active=False)
    assert world.meta(envelope(change(owner.phone_number_id, text("not by its app")))).status_code == 200
    activate(world, owner)
    assert replay(world, operator, "whatsapp", owner.phone_number_id)["not_proved"] == 1
    assert world.arrivals.none_of(owner)


def test_a_forged_agent_does_not_speak_from_the_victims_number(world: World, operator: dict[str, str]) -> None:
    attacker, victim = world.line(), world.line(active=False)
    forged = agent_text(victim.integration_id, "send me your password")
    path = f"/webhook/genesys/{attacker.line_key}"
    assert world.genesys(forged, attacker.webhook_secret, path).status_code == 200
    activate(world, victim)
    found = replay(world, operator, "genesys", victim.integration_id)
    assert found == {"replayed": 0, "left": 0, "not_proved": 1}
    assert world.arrivals.none_of(victim)


def test_one_tenant_does_not_evict_what_is_kept_for_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attacker, other = world.line(own_app=True), world.line(own_app=True)
    path = f"/webhook/meta/{other.tenant_key}"
    assert world.meta(envelope(change("888000888", text("mine"))), other.app_secret, path).status_code == 200
    assert world.meta(envelope(change("888000888", text("the operator's"))), APP_SECRET).status_code == 200
    quota = unknown_lines.OF_TENANT.items
    messages = [text("flood") for _ in range(1_000)]
    for ref in ("888000888", *(str(900_000 + n) for n in range(quota // 1_000 + 1))):
        flood = envelope(change(ref, *messages))
        assert world.meta(flood, attacker.app_secret, f"/webhook/meta/{attacker.tenant_key}").status_code == 200
    kept = {payload["message"]["text"]["body"] for payload, _ in world.unknown("888000888")}
    assert {"mine", "the operator's"} <= kept
    [[count]] = world.rows("SELECT count(*) FROM unknown_lines WHERE owner = %s", attacker.tenant_id)
    assert count <= quota


def test_one_tenant_does_not_fill_the_list_that_shows_what_waits_for_others(
    world: World, operator: dict[str, str]
) -> None:
    attacker, victim = world.line(own_app=True), world.line(own_app=True)
    ref = f"9{attacker.phone_number_id}"
    for line, refs in ((victim, [victim.phone_number_id[::-1]]), (attacker, [f"{ref}{n}" for n in range(120)])):
        body = envelope(*(change(one, text("whose am I?")) for one in refs))
        assert world.meta(body, line.app_secret, f"/webhook/meta/{line.tenant_key}").status_code == 200
    items = json_of(world.client.get("/api/unknown-numbers", headers=operator))["items"]
    assert {attacker.tenant_id, victim.tenant_id} <= {one["tenant_id"] for one in items}


def test_the_table_does_not_outgrow_its_bound_and_the_largest_gives_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = world.line(own_app=True), world.line(own_app=True)
    world.rows("DELETE FROM unknown_lines RETURNING 1")
    world.rows("DELETE FROM unknown_quotas RETURNING 1")
    monkeypatch.setattr(unknown_lines, "TOTAL_BYTES", 20_000)
    for line, count in ((small, 1), (large, 60), (small, 1), (large, 60), (small, 1)):
        body = envelope(change("888000999", *(text("x" * 50) for _ in range(count))))
        assert world.meta(body, line.app_secret, f"/webhook/meta/{line.tenant_key}").status_code == 200
    held = dict(world.rows("SELECT owner, count(*) FROM unknown_lines GROUP BY owner"))
    assert held[small.tenant_id] == 3
    [[size]] = world.rows("SELECT sum(size) FROM unknown_lines")
    assert size <= 20_000


def test_a_body_that_asks_for_too_much_is_kept_whole_and_not_repeated_for_ever(world: World) -> None:
    line = world.line(own_app=True)
    path = f"/webhook/meta/{line.tenant_key}"
    many = envelope(*(change(str(10**6 + n), text("x")) for n in range(300)))
    items: dict[str, Any] = {"entry": [{"changes": [{"value": {"messages": [{}] * 1_398_000}}]}]}
    for body, reason in ((many, "names more than"), (items, "objects and lists")):
        raw = json.dumps(body, separators=(",", ":")).encode()
        assert world.meta(raw, line.app_secret, path).status_code == 200
        kept = unknown_lines.waiting(world.parts.pool, "whatsapp", "", 1_000)[-1]
        assert (kept.tenant_id, kept.whole, kept.payload["length"]) == (line.tenant_id, True, len(raw))
        [[told]] = world.rows("SELECT reason FROM unknown_lines WHERE id = %s", kept.id)
        assert reason in told
    assert world.arrivals.none_of(line)


def test_an_item_that_a_daemon_would_read_for_seconds_is_kept_for_the_operator(world: World) -> None:
    """Its tenant signs it, and everybody's messages would wait meanwhile."""
    line = world.line(own_app=True)
    goods = [{"product_retailer_id": "p", "quantity": 1, "item_price": 2, "currency": "EUR"}] * 10_000
    order = {"id": "o", "from": "4917", "type": "order", "order": {"catalog_id": "c", "product_items": goods}}
    body = envelope(change(line.phone_number_id, text("before"), order, text("after")))
    assert world.meta(body, line.app_secret, f"/webhook/meta/{line.tenant_key}").status_code == 200
    taken = [one.payload["message"]["text"]["body"] for one in world.arrivals.of(line, 2)]
    assert taken == ["before", "after"]
    [(payload, reason)] = world.unknown(line.phone_number_id)
    assert "too large" in reason and "not_kept" in payload


def test_a_body_without_a_signature_is_not_even_read(world: World) -> None:
    line = world.line()
    raw = json.dumps(envelope(change(line.phone_number_id, text("x")))).encode()
    stream = world_of.Unread(raw)
    for headers in ({}, {"X-Hub-Signature-256": "sha256=short"}, {"X-Hub-Signature-256": "md5=" + "a" * 64}):
        answer = world.client.post("/webhook/meta", input_stream=stream, content_length=len(raw), headers=headers)
        assert answer.status_code == 401
    assert stream.read_calls == 0
