"""Webhooks over HTTP on real services: what is signed by whom, what is kept, what waits for a repeat."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import gevent
import pytest

from db.tenants import credentials, onboarding, unknown_lines
from db.tenants.changes import Changes
from db.tenants.onboarding import LineIds
from db.tenants.unknown_lines import SignerQuota
from relay.core.queues import queue_number
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import (
    APP_SECRET,
    World,
    agent_text,
    change,
    envelope,
    genesys_signature,
    json_of,
    meta_signature,
    status,
    text,
)
from tests.waiting import PATIENCE, wait_until


@pytest.fixture(scope="module")
def world(settings_env: dict[str, str]) -> Iterator[World]:
    built = world_of.build(settings_env)
    built.arrivals.start()
    yield built
    built.arrivals.consumer.stop()
    world_of.close(built)


# Handshakes


def handshake(world: World, path: str, token: str, mode: str = "subscribe") -> tuple[int, str, str]:
    query = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "<b>1158201444</b>"}
    answer = world.client.get(path, query_string=query)
    return answer.status_code, answer.text, answer.mimetype or ""


def test_the_handshake_echoes_the_challenge_as_text(world: World) -> None:
    assert handshake(world, "/webhook/meta", "demo-verify-token") == (200, "<b>1158201444</b>", "text/plain")


@pytest.mark.parametrize(("token", "mode"), [("wrong", "subscribe"), ("", "subscribe"), ("demo-verify-token", "")])
def test_a_handshake_without_the_right_token_is_forbidden(world: World, token: str, mode: str) -> None:
    code, body, _ = handshake(world, "/webhook/meta", token, mode)
    assert code == 403
    assert "1158201444" not in body


def test_a_tenants_own_address_takes_its_own_token_before_a_line_is_active(world: World) -> None:
    line = world.line(own_app=True, active=False)
    path = f"/webhook/meta/{line.tenant_key}"
    assert handshake(world, path, f"verify-{line.phone_number_id}")[0] == 200
    assert handshake(world, path, "demo-verify-token")[0] == 403
    assert handshake(world, "/webhook/meta/no-such-key", "")[0] == 403


def test_genesys_get_answers(world: World) -> None:
    assert world.client.get("/webhook/genesys").status_code == 200
    assert world.client.get("/webhook/genesys/any-key").status_code == 200


# Signatures


def test_a_signed_message_is_published_before_the_200(world: World) -> None:
    line = world.line()
    before = time.time()
    answer = world.meta(envelope(change(line.phone_number_id, text("Grüße \\ud83d\\ude00"))))
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"]
    update = world.arrivals.of(line, 1)[0]
    assert (update.channel, update.tenant_id, update.address, update.index) == (
        "whatsapp",
        line.tenant_id,
        "491701234567",
        0,
    )
    assert before <= update.arrived_at <= time.time()
    about, raw = world.arrivals.archive_of(line.phone_number_id.encode())
    assert about["owners"] == {line.tenant_id: [line.phone_number_id]}
    assert about["alone"] is True
    assert json.loads(raw)["object"] == "whatsapp_business_account"


@pytest.mark.parametrize("form", ["missing", "wrong", "base64", "bare", "sha1"])
def test_an_unsigned_or_wrongly_signed_body_is_refused(world: World, form: str) -> None:
    line = world.line()
    raw = json.dumps(envelope(change(line.phone_number_id, text("no")))).encode()
    right = meta_signature(raw, APP_SECRET)["X-Hub-Signature-256"]
    signature = {
        "missing": None,
        "wrong": meta_signature(raw, "another secret")["X-Hub-Signature-256"],
        "base64": genesys_signature(raw, APP_SECRET)["X-Hub-Signature-256"],
        "bare": right.removeprefix("sha256="),
        "sha1": right.replace("sha256", "sha1"),
    }[form]
    answer = world.client.post(
        "/webhook/meta", data=raw, headers={"X-Hub-Signature-256": signature} if signature else {}
    )
    assert answer.status_code == 401
    assert set(json_of(answer)["error"]) == {"code", "message", "details", "request_id"}
    assert world.arrivals.none_of(line)


def test_genesys_signs_in_base64(world: World) -> None:
    line = world.line()
    body = agent_text(line.integration_id, "hello")
    raw = json.dumps(body).encode()
    assert world.genesys(body, line.webhook_secret).status_code == 200
    hexed = meta_signature(raw, line.webhook_secret)
    assert world.client.post("/webhook/genesys", data=raw, headers=hexed).status_code == 401
    assert world.genesys(body, "not its secret").status_code == 401
    update = world.arrivals.of(line, 1)[0]
    assert (update.channel, update.address) == ("genesys", "491701234567")
    assert len(world.arrivals.of(line, 1)) == 1


def test_a_lines_own_address_takes_its_integration_only(world: World) -> None:
    line, other = world.line(), world.line()
    path = f"/webhook/genesys/{line.line_key}"
    assert world.genesys(agent_text(line.integration_id, "mine"), line.webhook_secret, path).status_code == 200
    assert world.genesys(agent_text(other.integration_id, "theirs"), line.webhook_secret, path).status_code == 200
    assert world.genesys(agent_text(other.integration_id, "theirs"), other.webhook_secret, path).status_code == 401
    assert (
        world.genesys(agent_text(line.integration_id, "x"), line.webhook_secret, "/webhook/genesys/k").status_code
        == 404
    )
    assert len(world.arrivals.of(line, 1)) == 1
    assert world.arrivals.none_of(other)
    assert [one[0] for one in world.audited(other.integration_id)] == [other.tenant_id]


def test_the_operators_secret_does_not_speak_for_a_tenant_with_its_own_app(world: World) -> None:
    shared, own = world.line(), world.line(own_app=True)
    body = envelope(change(own.phone_number_id, text("forged")), change(shared.phone_number_id, text("fine")))
    assert world.meta(body).status_code == 200
    assert len(world.arrivals.of(shared, 1)) == 1
    assert world.arrivals.none_of(own)
    tenant_id, detail = world.audited(own.phone_number_id)[0]
    assert (tenant_id, detail["updates"]) == (own.tenant_id, 1)
    assert world.meta(envelope(change(own.phone_number_id, text("real"))), own.app_secret).status_code == 200
    assert len(world.arrivals.of(own, 1)) == 1


def test_a_tenants_secret_does_not_speak_for_others(world: World) -> None:
    own, shared, third = world.line(own_app=True), world.line(), world.line(own_app=True)
    body = envelope(*(change(one.phone_number_id, text("x")) for one in (shared, own, third)))
    assert world.meta(body, own.app_secret).status_code == 200
    assert world.meta(body, own.app_secret, f"/webhook/meta/{own.tenant_key}").status_code == 200
    assert len(world.arrivals.of(own, 2)) == 2
    assert world.arrivals.none_of(shared)
    assert world.arrivals.none_of(third)


def test_a_tenants_address_takes_its_own_numbers_only(world: World) -> None:
    line, other = world.line(), world.line()
    path = f"/webhook/meta/{line.tenant_key}"
    body = envelope(change(line.phone_number_id, text("a")), change(other.phone_number_id, text("b")))
    assert world.meta(body, path=path).status_code == 200
    assert len(world.arrivals.of(line, 1)) == 1
    assert world.arrivals.none_of(other)
    assert world.audited(other.phone_number_id)
    assert world.meta(body, "guess", path).status_code == 401
    assert world.meta(body, path="/webhook/meta/no-such-key").status_code == 404


def test_at_most_eight_secrets_are_tried(world: World) -> None:
    lines = [world.line(own_app=True) for _ in range(10)]
    body = envelope(*(change(one.phone_number_id, text("x")) for one in lines))
    # The operator's is the first of the eight.
    assert world.meta(body, lines[6].app_secret).status_code == 200
    assert world.meta(body, lines[7].app_secret).status_code == 401
    assert len(world.arrivals.of(lines[6], 1)) == 1


def test_the_previous_secret_is_good_during_a_rotation(world: World) -> None:
    line = world.line(own_app=True)
    parts = world.parts
    values = {"phone_number_id": line.phone_number_id, "waba_id": "1", "access_token": "t", "app_secret": "brand-new-1"}
    changes = Changes(parts.pool, parts.cache.forget_routes)
    credentials.put(changes, parts.cipher, world_of.BY, line.tenant_id, "whatsapp", values)
    for secret in (line.app_secret, "brand-new-1"):
        assert world.meta(envelope(change(line.phone_number_id, text("x"))), secret).status_code == 200


# Bodies


def test_every_item_of_a_batch_goes_to_its_line_and_queue(world: World) -> None:
    first, second = world.line(), world.line()
    photo = {"id": "wamid.p", "from": "4917", "timestamp": "1764000000", "type": "image",
             "image": {"id": "9", "mime_type": "image/jpeg", "sha256": "x"}}  # fmt: skip
    body = envelope(
        change(first.phone_number_id, text("1"), photo),
        change(second.phone_number_id, text("2"), statuses=[status("wamid.s1"), status("wamid.s2", "4918")]),
    )
    assert world.meta(body).status_code == 200
    assert [one.index for one in world.arrivals.of(first, 2)] == [0, 1]
    assert [one.index for one in world.arrivals.of(second, 3)] == [2, 3, 4]
    media = next(one for one in world.arrivals.of(first, 2) if one.index == 1)
    assert (media.media_type, media.mime_type) == ("image", "image/jpeg")
    headers = {
        "tenantId": first.tenant_id,
        "lineId": first.line_id,
        "arrivedAt": media.arrived_at,
        "mediaType": "image",
        "mimeType": "image/jpeg",
    }
    assert headers in world.arrivals.headers
    about, _ = world.arrivals.archive_of(first.phone_number_id.encode())
    assert about["alone"] is False
    assert set(about["owners"]) == {first.tenant_id, second.tenant_id}


def test_a_thousand_updates_in_one_post(world: World) -> None:
    line = world.line()
    messages = [text(f"number {n}", f"49170{n % 50}") for n in range(1000)]
    assert world.meta(envelope(change(line.phone_number_id, *messages))).status_code == 200
    updates = world.arrivals.of(line, 1000)
    assert [one.index for one in updates] == list(range(1000))
    sent = [one for one in world.arrivals.headers if one["lineId"] == line.line_id]
    assert len(sent) <= 1000 // 64 + world.arrivals.shards, "not a message for each"


def test_three_megabytes_are_taken_and_more_than_four_are_not(world: World) -> None:
    line = world.line()
    texts = [text("x" * 256 * 1024) for _ in range(12)]
    assert world.meta(envelope(change(line.phone_number_id, *texts))).status_code == 200
    assert len(world.arrivals.of(line, 12)) == 12
    answer = world.meta(envelope(change(line.phone_number_id, text("x" * 4 * 1024 * 1024))))
    assert answer.status_code == 413
    assert json_of(answer)["error"]["code"] == "too_large"


def test_a_repeated_webhook_is_published_again_for_the_relay_to_absorb(world: World) -> None:
    line = world.line()
    body = envelope(change(line.phone_number_id, text("twice")))
    assert [world.meta(body).status_code, world.meta(body).status_code] == [200, 200]
    first, second = world.arrivals.of(line, 2)
    assert first.payload == second.payload


def test_a_truncated_body_that_is_rightly_signed_is_kept_and_listed(world: World) -> None:
    line = world.line(own_app=True)
    raw = json.dumps(envelope(change(line.phone_number_id, text("cut off here")))).encode()[:-30]
    assert world.meta(raw, "nobody's secret").status_code == 401
    assert world.meta(raw, line.app_secret).status_code == 200
    assert world.meta(raw, APP_SECRET).status_code == 200
    assert world.arrivals.archive_of(raw)[0]["owners"] == {}
    kept = [payload for payload, reason in world.unknown("") if "unreadable" in payload and "not readable" in reason]
    assert any(line.phone_number_id in one["unreadable"] for one in kept)


def test_a_lone_surrogate_spoils_nothing(world: World) -> None:
    line = world.line()
    raw = (
        json.dumps(envelope(change(line.phone_number_id, text("A"), text("B")))).encode().replace(b'"A"', b'"\\ud83d!"')
    )
    assert world.meta(raw).status_code == 200
    first, second = world.arrivals.of(line, 2)
    assert first.payload["message"]["text"]["body"] == "\ufffd!"
    assert second.payload["message"]["text"]["body"] == "B"


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"17", b'"text"', b"[" * 100_000, b'{"entry": 5}', b"\xff\xfe\x00"]
)
def test_odd_bodies_are_answered_200_when_signed(world: World, raw: bytes) -> None:
    assert world.meta(raw).status_code == 200


def test_what_is_nested_deeper_than_can_be_written_is_left_out_and_the_rest_is_carried(world: World) -> None:
    line = world.line()
    deep = json.loads("[" * 400 + "]" * 400)
    body = envelope(change(line.phone_number_id, {**text("deep"), "context": deep}, text("flat")))
    assert world.meta(body).status_code == 200
    first, second = world.arrivals.of(line, 2)
    assert first.payload["message"]["text"]["body"] == "deep"
    assert second.payload["message"]["text"]["body"] == "flat"


# Unknown lines


def test_an_unknown_number_is_kept_if_the_operators_app_signed_it(world: World) -> None:
    line = world.line()
    body = envelope(change("999000999", text("early\x00 bird")), change(line.phone_number_id, text("known")))
    assert world.meta(body, "not ours").status_code == 401
    assert world.unknown("999000999") == []
    assert world.meta(body).status_code == 200
    payload, reason = world.unknown("999000999")[0]
    assert payload["message"]["text"]["body"] == "early\ufffd bird"
    assert reason == "no active line has this id"
    assert len(world.arrivals.of(line, 1)) == 1


def test_an_unknown_integration_has_no_secret_that_could_prove_it(world: World) -> None:
    assert world.genesys(agent_text("8b2ba3a5-0000-4444-8888-000000000000", "x"), "any").status_code == 401


@pytest.mark.parametrize("quota", [SignerQuota(5, 1_000_000), SignerQuota(1_000, 2_000)], ids=["items", "bytes"])
def test_what_is_unknown_is_bounded_and_the_oldest_of_the_same_signer_go(
    world: World, monkeypatch: pytest.MonkeyPatch, quota: SignerQuota
) -> None:
    monkeypatch.setattr(unknown_lines, "OF_TENANT", quota)
    own = world.line(own_app=True)
    for n in range(4):
        body = envelope(change("777000777", *(text(f"{n}.{k}") for k in range(3))))
        assert world.meta(body, own.app_secret, f"/webhook/meta/{own.tenant_key}").status_code == 200
    kept = "SELECT payload->'message'->'text'->>'body' FROM unknown_lines WHERE owner = %s ORDER BY id"
    texts = [row[0] for row in world.rows(kept, own.tenant_id)]
    assert texts == [f"{n}.{k}" for n in range(4) for k in range(3)][-len(texts) :]
    [counted] = world.rows("SELECT items, bytes FROM unknown_quotas WHERE owner = %s", own.tenant_id)
    assert [counted] == world.rows("SELECT count(*), sum(size) FROM unknown_lines WHERE owner = %s", own.tenant_id)
    assert 0 < counted[0] <= quota.items
    assert counted[1] <= quota.bytes < counted[1] * (counted[0] + 1) / counted[0] or counted[0] == quota.items


def test_a_number_becomes_known_within_seconds_of_its_activation(world: World) -> None:
    line = world.line(active=False)
    body = envelope(change(line.phone_number_id, text("x")))
    assert world.meta(body).status_code == 200
    assert len(world.unknown(line.phone_number_id)) == 1
    changes = Changes(world.parts.pool, world.parts.cache.forget_routes)
    onboarding.activate(
        changes, world_of.BY, line.tenant_id, [LineIds(line.line_id, line.phone_number_id, line.integration_id)]
    )

    def arrives() -> bool:
        assert world.meta(body).status_code == 200
        return not world.arrivals.none_of(line)

    wait_until(arrives, message="the line to be known", interval=0.5)


def test_updates_without_a_number_are_kept(world: World) -> None:
    body = {
        "entry": [{"id": "waba", "changes": [{"field": "account_alerts", "value": {"alert": "first-of-its-kind"}}]}]
    }
    assert world.meta(body).status_code == 200
    assert any("first-of-its-kind" in json.dumps(payload) for payload, _ in world.unknown(""))


def test_news_of_an_account_are_the_tenants_where_the_address_says_whose(world: World) -> None:
    own = world.line(own_app=True)
    path = f"/webhook/meta/{own.tenant_key}"
    news = {"entry": [{"id": "1", "changes": [{"field": "account_update", "value": {"event": "our-own"}}]}]}
    assert world.meta(news, "guess", path).status_code == 401
    assert world.meta(news, own.app_secret, path).status_code == 200
    [arrived] = world.arrivals.of(own, 1)
    assert arrived.payload["value"] == {"event": "our-own"}
    others = json.loads(json.dumps(news).replace("our-own", "not-ours").replace('"1"', '"2"'))
    assert world.meta(others, own.app_secret, path).status_code == 200
    kept = [json.dumps(payload) for payload, _ in world.unknown("")]
    assert [any(word in one for one in kept) for word in ("our-own", "not-ours")] == [False, True]
    # Whose a message is, only its number says.
    stray = {"entry": [{"id": "1", "changes": [{"field": "messages", "value": {"messages": [text("stray")]}}]}]}
    assert world.meta(stray, own.app_secret, path).status_code == 200
    assert any("stray" in json.dumps(payload) for payload, _ in world.unknown(""))
    assert len(world.arrivals.of(own, 1)) == 1


def test_news_of_one_number_go_to_its_own_line(world: World) -> None:
    """Those of a number that is none of the tenant's lines, or of none at all, go to the first line."""
    line = world.line(own_app=True)
    with world.parts.pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET settings = settings || '{"name": "Bakery, Inc., +1 555-000-1111"}' WHERE id = %s
               RETURNING tenant_id""",
            (line.line_id,),
        )
        (tenant_id,) = cursor.fetchone()
        second, number = str(uuid4()), secrets.token_hex(8)
        cursor.execute(
            """INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, status, settings)
               VALUES (%s, %s, %s, %s, %s, 'active', '{"name": "Bakery, +1 555-000-2222"}')""",
            (second, tenant_id, number, str(uuid4()), uuid4().hex),
        )
    other = replace(line, line_id=second)
    first = min(line, other, key=lambda one: one.line_id)
    for event, phone in (("of-1", "+1 555-000-1111"), ("of-2", "15550002222"), ("of-3", "+4930123"), ("of-4", None)):
        value = {"event": event} | ({"phone_number": phone} if phone else {})
        news = {"entry": [{"id": "1", "changes": [{"field": "account_update", "value": value}]}]}
        assert world.meta(news, line.app_secret, f"/webhook/meta/{line.tenant_key}").status_code == 200
    wanted = {"of-1": line, "of-2": other, "of-3": first, "of-4": first}
    for one in (line, other):
        mine = [event for event, whose in wanted.items() if whose is one]
        assert [each.payload["value"]["event"] for each in world.arrivals.of(one, len(mine))] == mine


# The rest


def test_other_pages_have_the_one_error_shape_and_headers(world: World) -> None:
    answer = world.client.get("/nothing-here", headers={"X-Request-ID": "mine-1"})
    assert answer.status_code == 404
    assert json_of(answer)["error"]["request_id"] == answer.headers["X-Request-ID"] == "mine-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert world.client.put("/webhook/meta").status_code == 405


def test_health_and_metrics(world: World) -> None:
    assert world.client.get("/health/live").json == {"status": "live"}
    ready = world.client.get("/health/ready")
    assert (ready.status_code, set(json_of(ready)["checks"].values())) == (200, {"ok"})
    assert world.meta(envelope(change("555", text("x")))).status_code == 200
    shown = world.client.get("/metrics").text
    assert 'web_webhooks_total{answer="accepted",channel="whatsapp"}' in shown
    assert APP_SECRET not in shown


def test_webhooks_side_by_side(world: World) -> None:
    line = world.line()
    bodies = [envelope(change(line.phone_number_id, text(f"{n}", f"49{n}"))) for n in range(200)]
    jobs = [gevent.spawn(world.meta, body) for body in bodies]
    gevent.joinall(jobs, raise_error=True, timeout=PATIENCE)
    assert {job.value.status_code for job in jobs} == {200}
    updates = world.arrivals.of(line, 200)
    assert len({queue_number(line.line_id, one.address, world.parts.shards) for one in updates}) > 1
