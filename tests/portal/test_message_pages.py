"""Dashboard, conversations, messages, files, dead letters: what they say, who may see it, and what is written down."""

from __future__ import annotations

import io
import re
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from psycopg2.extras import Json

from db.audit import Author
from db.contacts import conversations
from db.mailbox import ends, replay_steps, replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.pool import Pool
from db.tenants import registry
from db.tenants.changes import Changes
from db.views import history
from relay.core.conversation.ends import ConversationEnd
from relay.core.messages import Media
from relay.stores.objects import MEDIA_INBOUND
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.portal.messages.media import CSP
from web.request.web_context import WebContext

ADA, BEN = "4915111111111", "4915222222222"


@pytest.fixture(scope="module")
def neighbour(pool: Pool) -> House:
    return House(pool, "Südlicht")


def test_the_dashboard_says_in_words_what_it_draws(admin: Person, house: House) -> None:
    house.say(ADA, "Hello", state="sent", name="Ada Brandt")
    house.say(ADA, "Good day", "outbound", "failed", reason="the number is not on WhatsApp")
    page = admin.get(f"{house.path}/dashboard")
    assert 'role="img" aria-label="Last 24 hours: 1 message from customers, 1 from agents, 1 of them failed' in page
    assert "As a table" in page
    assert "Ada Brandt" in page
    assert "style=" not in page


def test_the_dashboard_says_why_something_waits(admin: Person, house: House) -> None:
    house.say(BEN, "Is anybody there?")
    assert "No daemon of the relay is running" in admin.get(f"{house.path}/dashboard/lines")
    changes = Changes(house.pool, lambda _: None)
    registry.set_status(changes, Author("test"), house.tenant_id, "paused")
    assert "The tenant is paused; what waits goes out" in admin.get(f"{house.path}/dashboard/lines")
    registry.set_status(changes, Author("test"), house.tenant_id, "active")
    assert "There is no such page" in admin.get(f"{house.path}/dashboard/weather", status=404)


@pytest.mark.parametrize("q", ["+49 151 1111", "ada", "brandt", "Ada B"])
def test_a_conversation_is_found_by_what_is_known_of_it(admin: Person, house: House, q: str) -> None:
    house.say(ADA, "Hello again", state="sent", name="Ada Brandt")
    page = admin.get(f"{house.path}/conversations?q={q.replace('+', '%2B')}")
    assert "Ada Brandt" in page
    assert BEN not in page
    assert "Nothing found" in admin.get(f"{house.path}/conversations?q=zzz")


def test_a_conversation_shows_both_sides_and_why_something_failed(admin: Person, house: House) -> None:
    row = house.say("4915333", "Where is my tent?", state="sent", name="Carla <b>")
    house.say("4915333", "On its way", "outbound", "failed", reason="the number is not on WhatsApp")
    page = admin.get(f"{house.path}/conversations/{row.conversation_id}")
    assert "bubble inbound" in page
    assert "bubble outbound troubled" in page
    assert "The number is not on WhatsApp." in page
    assert "Carla &lt;b&gt;" in page
    assert page.index("Where is my tent?") < page.index("On its way")


def test_a_conversation_shows_where_it_ended(admin: Person, house: House) -> None:
    rows = [house.say("4915334", f"tent {n}", state="sent") for n in range(55)]
    talk, at = str(uuid4()), [row.key.time for row in rows]
    with house.pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(rows[0].conversation_id, talk)])
    told = [
        ConversationEnd("agent_left", talk, at[2] + 0.5, "p", "PEER"),
        ConversationEnd("over", talk, at[-6] + 0.5, "c", "CLIENT"),
    ]
    assert ends.keep(house.pool, house.tenant_id, told, at[-1]) == 2
    page = admin.get(f"{house.path}/conversations/{rows[0].conversation_id}")
    assert page.index("tent 49") < page.index("The conversation ended at Genesys") < page.index("tent 50")
    assert "An agent left" not in page
    [older] = set(re.findall(r'data-older="[^"]*before=([^"&]+)"', page))
    page = admin.get(f"{house.path}/conversations/{rows[0].conversation_id}/timeline?before={older}")
    assert page.index("tent 2") < page.index("An agent left the conversation") < page.index("tent 3")
    assert "ended at Genesys" not in page


@pytest.mark.parametrize(
    "first", ["/conversations/{c}", "/conversations/{c}/timeline", "/messages/{m}", "/messages/{m}/progress"]
)
def test_a_look_is_noted_once_whichever_part_is_looked_at(admin: Person, house: House, first: str) -> None:
    row = house.say(f"4915444{len(first)}", "Look at me", state="sent")
    names = {"c": row.conversation_id, "m": row.id}

    def looks() -> list[dict[str, Any]]:
        rows = house.audited("conversation.viewed") + house.audited("message.viewed")
        return [one for one in rows if one["subject"] in names.values()]

    admin.get(house.path + first.format(**names))
    [noted] = looks()
    assert noted["actor"] == "admin@nordwind.example"
    for path in ("/conversations/{c}", "/conversations/{c}/timeline", "/messages/{m}", "/messages/{m}/progress") * 2:
        admin.get(house.path + path.format(**names))
    assert looks() == [noted]


@pytest.mark.parametrize("page", ["/dashboard", "/dashboard/recent"])
def test_the_conversations_on_the_dashboard_are_a_look_too(app: Flask, house: House, page: str) -> None:
    email = f"{uuid4().hex}@nordwind.example"
    new_user(house.pool, email, "viewer", house.tenant_id)
    person = Person(app, email)
    for _ in range(2):
        person.get(house.path + page)
    assert [one["actor"] for one in house.audited("conversations.listed")].count(email) == 1


def test_looking_through_lists_is_noted_too(viewer: Person, house: House) -> None:
    for page in ("conversations", "messages", "dead-letters"):
        viewer.get(f"{house.path}/{page}")
        viewer.get(f"{house.path}/{page}?q=49")
    for action in ("conversations.listed", "messages.listed", "dead_letters.listed"):
        assert [one["actor"] for one in house.audited(action)].count("viewer@nordwind.example") == 1


def test_messages_are_filtered(admin: Person, house: House) -> None:
    bad = house.say("4915555", "Lost", "outbound", "dead", reason="given up after 8 tries")
    page = admin.get(f"{house.path}/messages?state=dead&direction=outbound")
    assert bad.id in page
    assert "Given up after 8 tries." in page
    assert bad.id not in admin.get(f"{house.path}/messages?state=dead&direction=inbound")
    for wanted in (bad.message.source_id, bad.id, "4915555"):
        assert bad.id in admin.get(f"{house.path}/messages?q={wanted}")
    assert bad.id not in admin.get(f"{house.path}/messages?since=2090-01-01")
    assert "Not a valid date value" in admin.get(f"{house.path}/messages?since=yesterday")
    assert "Begin again at its first page" in admin.get(f"{house.path}/messages?before=nonsense", status=400)


def test_a_message_tells_its_steps_and_the_providers_answers(admin: Person, house: House) -> None:
    row = house.say("4915666", "Two tries", "outbound", "failed", reason="the number is not on WhatsApp")
    house.call(row, 1, "retry", http_status=503, code="503", detail="Service temporarily unavailable")
    told: dict[str, object] = {
        "http_status": 400,
        "code": "131026",
        "detail": "Message undeliverable",
        "trace_id": "trace-77",
    }
    house.call(row, 2, "refused", **told, answer='{"error":{"code":131026,"note":"<b>"}}')
    page = admin.get(f"{house.path}/messages/{row.id}")
    for said in ("Arrived from Genesys.", "First delivery attempt to WhatsApp.", "Delivery attempt 2 to WhatsApp.",
                 "after 1.00 s",
                 "Failed, tried again", "HTTP 503", "131026", "Message undeliverable", "trace-77", "The whole response",
                 "{&#34;error&#34;:{&#34;code&#34;:131026,&#34;note&#34;:&#34;&lt;b&gt;&#34;}}"):  # fmt: skip
        assert said in page, said
    assert "<dt>Delivery attempts</dt><dd>2</dd>" in page


def test_a_message_says_what_it_costs(admin: Person, house: House) -> None:
    row = house.say("4915199", "On its way", "outbound", "delivered")
    told = {"category": "utility", "type": "regular", "subtype": "", "country": "DE", "at": 1793000000.0}
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET prices = %s WHERE id = %s", (Json({"wamid.1": told}), row.id))
    page = admin.get(f"{house.path}/messages/{row.id}")
    assert "Utility, DE" in page
    assert "no rate card says how much" in page


def test_why_a_message_waits_is_told(admin: Person, house: House) -> None:
    first = house.say("4915777", "One")
    second = house.say("4915777", "Two")
    page = admin.get(f"{house.path}/messages/{second.id}")
    assert "Why it waits" in page
    assert f"/messages/{first.id}" in page or "No daemon" in page


def test_the_raw_payload_is_for_those_who_may_and_noted_each_time(admin: Person, viewer: Person, house: House) -> None:
    payload = {"text": {"body": "hi"}, "access_token": "EAAGsecretsecret", "name": "half \ud83d of a pair"}
    row = house.say("4915888", "hi", payload=payload)
    address = f"{house.path}/messages/{row.id}"
    assert "EAAG" not in admin.get(address)
    assert "raw payload" not in viewer.get(address)
    viewer.post(f"{address}/payload", status=403)
    for _ in range(2):
        page = admin.post(f"{address}/payload", status=200)
    assert "&#34;body&#34;: &#34;hi&#34;" in page
    assert "EAAGsecretsecret" not in page
    assert "half ? of a pair" in page
    assert [one["subject"] for one in house.audited("payload.viewed")] == [row.id] * 2


def test_a_neighbours_rows_do_not_exist(admin: Person, house: House, neighbour: House) -> None:
    row = neighbour.say(ADA, "Not yours", "outbound", "dead")
    for address in (
        f"{neighbour.path}/dashboard", f"{neighbour.path}/messages", f"{house.path}/messages/{row.id}",
        f"{house.path}/messages/{row.id}/file", f"{house.path}/conversations/{row.conversation_id}",
        f"{house.path}/conversations/{row.conversation_id}/timeline",
    ):  # fmt: skip
        assert "Not yours" not in admin.get(address, status=404)
    admin.post(f"{house.path}/dead-letters/replay", {"id": row.id})
    assert neighbour.state(row) == "dead"


# Files


def _file(app: Flask, house: House, content: bytes, mime_type: str, kind: str = "image") -> str:
    """The address of a message's file."""
    parts: WebContext = app.extensions["relay"]
    key = f"{house.tenant_id}/2026/11/23/{uuid4()}"
    parts.objects.put(MEDIA_INBOUND, key, io.BytesIO(content), len(content), mime_type)
    media = Media(kind, mime_type, filename='a "b"\r\n.html', size=len(content), bucket=MEDIA_INBOUND, object_key=key)  # type: ignore[arg-type]
    return f"{house.path}/messages/{house.say('4915999', None, state='sent', media=media).id}/file"


def test_a_picture_is_shown_and_cannot_run_anything(app: Flask, admin: Person, house: House) -> None:
    answer = admin.answer(_file(app, house, b"\x89PNG" * 10, "image/png"))
    assert answer.data == b"\x89PNG" * 10
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("mime_type", "told"),
    [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/pdf", "application/pdf"),
        ("image/png; charset=utf-8\r\nX-Evil: 1", "image/png"),
        ("", "application/octet-stream"),
    ],
)
def test_what_could_run_is_only_ever_a_download(
    app: Flask, admin: Person, house: House, mime_type: str, told: str
) -> None:
    answer = admin.answer(_file(app, house, b"<script>alert(1)</script>", mime_type, "document"))
    assert answer.headers["Content-Type"] == told
    assert ("attachment" in answer.headers["Content-Disposition"]) == (told != "image/png")
    assert "X-Evil" not in answer.headers
    assert "\n" not in answer.headers["Content-Disposition"]


def test_a_player_may_ask_for_a_part_and_that_is_one_look(app: Flask, admin: Person, house: House) -> None:
    address = _file(app, house, bytes(range(200)), "video/mp4", "video")
    answer = admin.answer(address, Range="bytes=10-19")
    assert answer.status_code == 206
    assert answer.data == bytes(range(10, 20))
    assert answer.headers["Content-Range"] == "bytes 10-19/200"
    assert admin.answer(address, Range="bytes=-5").data == bytes(range(195, 200))
    assert admin.answer(address, Range="bytes=0-1,5-6").status_code == 200
    assert admin.answer(address, Range="bytes=900-").status_code == 416
    message_id = address.split("/")[-2]
    assert [one["subject"] for one in house.audited("media.viewed")].count(message_id) == 1


def test_a_file_that_is_gone_is_said_to_be(app: Flask, admin: Person, house: House) -> None:
    address = _file(app, house, b"x", "image/gif")
    parts: WebContext = app.extensions["relay"]
    found = history.get(house.pool, house.tenant_id, address.split("/")[-2])
    assert found is not None and found.message.media is not None
    parts.objects.delete(MEDIA_INBOUND, str(found.message.media.object_key))
    assert "gone from the object store" in admin.get(address, status=404)


# Dead letters


def test_all_dead_letters_go_again_after_a_question(
    admin: Person, viewer: Person, neighbour: House, app: Flask
) -> None:
    new_user(neighbour.pool, "admin@suedlicht.example", "admin", neighbour.tenant_id)
    other = Person(app, "admin@suedlicht.example")
    rows = [neighbour.say(ADA, f"No. {n}", "outbound", "dead", reason="given up") for n in range(3)]
    left = neighbour.say(BEN, "In", "inbound", "dead", reason="given up")
    address = f"{neighbour.path}/dead-letters"
    # A link alone sends nothing.
    question = other.get(f"{address}/replay-all?direction=outbound")
    count = int(question.split("<h1")[1].split("Send ")[1].split()[0])
    assert count >= 3 and f"Send {count} dead letters again?" in question
    assert replays.running(neighbour.pool, neighbour.tenant_id) is None
    page = other.follow(f"{address}/replay-all?direction=outbound", {})
    assert f"0 of {count} put back" in page and "Cancel" in page
    assert "being sent again already" in other.get(f"{address}/replay-all")
    assert "wait, or cancel that" in other.follow(f"{address}/replay-all", {})
    assert replay_steps.step(neighbour.pool)
    with neighbour.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET state = 'sent' WHERE id = %s", (rows[0].id,))
        cursor.execute("UPDATE message_tracking SET state = 'dead', failed_at = now() WHERE id = %s", (rows[1].id,))
    replay_steps.settle(neighbour.pool)
    [held] = replays.listed(neighbour.pool, neighbour.tenant_id).items
    page = other.get(f"{address}/replays/{held.id}/standing")
    assert f"{count} of {count} put back" in page and "Cancel" not in page
    counted = re.findall("<dd>([0-9,]+)</dd>", page)
    assert counted == ["1", "1", str(count - 2)], "carried, failed again, on their way"
    assert [neighbour.state(row) for row in [*rows, left]] == ["sent", "dead", "received", "dead"]
    assert f"{count} of {count} put back, 1 failed again" in other.get(address)


def test_a_replay_is_cancelled_from_its_page_and_by_admins_only(admin: Person, viewer: Person, house: House) -> None:
    row = house.say("4915003", "Not again", "outbound", "dead")
    address = f"{house.path}/dead-letters"
    viewer.post(f"{address}/replay-all", {}, status=403)
    page = admin.follow(f"{address}/replay-all", {})
    [cancel] = re.findall('action="([^"]+/cancel)"', page)
    viewer.post(cancel, {}, status=403)
    assert "being sent again" in viewer.get(address)
    page = admin.follow(cancel, {})
    assert "Cancelled" in page and "0 of" in page
    assert 'id="cancel-replay"' not in page
    assert replay_steps.step(house.pool) is None
    assert house.state(row) == "dead"
    assert [one["subject"] in cancel for one in house.audited("replay.cancelled")] == [True]


def test_a_replay_says_what_stands_in_its_way(viewer: Person, house: House) -> None:
    house.say("4915005", "Stuck", "outbound", "dead")
    held = replays.start(house.pool, Author("somebody"), DeadLetterSelection(house.tenant_id))
    address = f"{house.path}/dead-letters/replays/{held.id}"
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE replays SET failure = 'a lock (55P03)' WHERE id = %s", (held.id,))
    assert "The last step failed, and is tried again: a lock (55P03)." in viewer.get(address)
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE replays SET state = 'failed', ended_at = now() WHERE id = %s", (held.id,))
    page = viewer.get(address)
    assert "one step after the other failed: a lock (55P03)." in page
    assert "Failed</span>" in page and "Cancel" not in page


def test_dead_letters_are_shown_by_reason_and_by_the_days_they_arrived(admin: Person, house: House) -> None:
    row = house.say("4915004", "Why", "outbound", "dead", reason="given up")
    with house.pool.transaction() as cursor:
        cursor.execute("UPDATE message_tracking SET reason_code = '131099' WHERE id = %s", (row.id,))
    address = f"{house.path}/dead-letters"
    assert re.search(r"reason=131099.*?<strong>1</strong> <code>131099</code>", admin.get(address), re.DOTALL)
    assert row.id in admin.get(f"{address}?reason=131099&until=2999-01-01")
    assert row.id not in admin.get(f"{address}?reason=131099&until=2020-01-01")


def test_a_viewer_sees_dead_letters_and_sends_none(viewer: Person, house: House) -> None:
    row = house.say("4915000", "Dead", "outbound", "dead")
    house.call(row, 1, "unknown")
    page = viewer.get(f"{house.path}/dead-letters")
    assert row.id in page
    assert "1 delivery attempt, given up" in page
    assert "Send the marked ones again" not in page
    viewer.post(f"{house.path}/dead-letters/replay", {"id": row.id}, status=403)
    assert house.state(row) == "dead"


def test_a_failed_message_is_sent_again_from_its_page(admin: Person, house: House) -> None:
    row = house.say("4915001", "Once more", "outbound", "failed")
    assert "Send again" in admin.get(f"{house.path}/messages/{row.id}")
    page = admin.follow(f"{house.path}/dead-letters/replay", {"id": row.id, "back": "message"})
    assert "1 message is on the way again" in page
    assert house.state(row) == "received"
    assert "only what was given up or failed" in admin.follow(f"{house.path}/dead-letters/replay", {"id": row.id})
    admin.post(f"{house.path}/dead-letters/replay", {"id": "nonsense"}, status=400)
