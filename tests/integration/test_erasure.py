"""A person is planted in every store, erased, and looked for in all bytes; and can write again as somebody new."""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import redis

from conf.loading import load_settings
from db.audit import Author
from db.contacts import conversations, erasing, erasures, mappings, tombstones
from db.contacts.seen import SeenPerson
from db.contacts.tombstones import Tombstones
from db.mailbox import claims, events, messages, notices
from db.mailbox.notices import NewNotice
from db.tenants import unknown_lines
from db.tenants.changes import TakenError
from db.tenants.signers import Signers
from relay.actors.archiver import ArchiverActor
from relay.actors.erasure import ErasureActor
from relay.broker.envelopes import Outgoing
from relay.broker.topology import declare
from relay.core.mailbox import NewRow, Row, Verdict
from relay.core.messages import Media, Message, Person, Update, dump
from relay.core.ordering import SortKey
from relay.core.queues import DEAD_LETTERS
from relay.daemon.bootstrap import build_daemon
from relay.intake.intake import Intake
from relay.runtime.context import Parts
from relay.stores import catalogues, keys
from relay.stores.objects import BUCKETS, MEDIA_INBOUND, WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND
from tests.integration.rows import new_line
from tests.integration.webhook_world import agent_text, change, envelope, status, text
from tests.waiting import PATIENCE, wait_until
from web.webhooks.outgoing import archive

NUMBER, USER_ID, NAME = "4915199887766", "DE.7788990011223344", "Zacharias Einmalig"
WORDS, FILE = "only ever said once", b"the bytes of a file"
WAMID = "wamid." + base64.b64encode(b"\x1d\x04" + NUMBER.encode()).decode()
"""As Meta makes them: the number is inside."""
OTHER, OTHER_WORDS = "4915100000001", "somebody else's words"
SAID = {"wa_id": NUMBER, "profile": {"name": NAME}, "user_id": USER_ID}
BY = Author("test")


@dataclass
class Planted:
    """Where everything that is looked for afterwards was put."""

    parts: Parts
    tenant_id: str
    line_id: str
    redis_url: str
    conversation_id: str = ""
    media_key: str = ""

    def everywhere(self) -> list[tuple[str, bytes]]:
        """All bytes of all stores, in clear where they are packed."""
        return [*self._tables(), *self._objects(), *self._redis(), *self._letters()]

    def found(self) -> list[tuple[str, bytes]]:
        """Every place where the person is named."""
        wanted = [one.encode() for one in (NUMBER, USER_ID, NAME, WORDS, WAMID, FILE.decode(), self.conversation_id)]
        return [(place, one) for place, held in self.everywhere() for one in wanted if one in held]

    def _tables(self) -> Iterator[tuple[str, bytes]]:
        with self.parts.pool.autocommit() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (name,) in cursor.fetchall():
                cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {name} t")
                yield name, cursor.fetchone()[0].encode()
            cursor.execute("SELECT raw FROM unknown_lines WHERE raw IS NOT NULL")
            for (raw,) in cursor.fetchall():
                yield "unknown_lines.raw", zlib.decompress(bytes(raw))

    def _objects(self) -> Iterator[tuple[str, bytes]]:
        for bucket in BUCKETS:
            for key in self.parts.objects.keys(bucket, ""):
                with self.parts.objects.open(bucket, key) as chunks:
                    raw = b"".join(chunks)
                yield bucket, key.encode() + b" " + (gzip.decompress(raw) if key.endswith(".gz") else raw)

    def _redis(self) -> Iterator[tuple[str, bytes]]:
        with redis.Redis.from_url(self.redis_url) as client:
            for key in client.scan_iter("*"):
                yield "redis", key

    def _letters(self) -> Iterator[tuple[str, bytes]]:
        for letter in self.parts.dead_letters.peek(100):
            yield "dead letters", letter.body


@pytest.fixture(scope="module")
def parts(settings_env: dict[str, str]) -> Iterator[Parts]:
    settings = load_settings(settings_env)
    declare(settings.broker_url, settings.relay_shards)
    held = build_daemon(settings).parts
    held.objects.ensure_buckets()
    held.timers.start(lambda error: pytest.fail(f"the timers ended: {error}"))
    held.publisher.start()
    held.consumer.start()
    wait_until(lambda: held.publisher.connected, message="the publisher")
    yield held
    held.consumer.stop()
    held.publisher.close()
    held.timers.stop()
    held.pool.close()


@pytest.fixture
def planted(parts: Parts, redis_url: str) -> Planted:
    line_id = new_line(parts.pool)
    with parts.pool.transaction() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (line_id,))
        tenant_id = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE lines SET phone_number_id = %s, proven_at = now() WHERE id = %s", (f"phone-{line_id}", line_id)
        )
    held = Planted(parts, tenant_id, line_id, redis_url)
    _in_postgresql(held)
    _in_objects(held)
    mapping = mappings.by_id(parts.pool, held.conversation_id)
    assert mapping is not None
    parts.cache.remember(keys.mapping(tenant_id, line_id, NUMBER), {"x": 1}, 60)
    parts.cache.remember(keys.conversation(tenant_id, held.conversation_id), {"x": 1}, 60)
    letters = [_update(held, NUMBER, WORDS), _update(held, OTHER, OTHER_WORDS)]
    parts.publisher.publish([Outgoing("", DEAD_LETTERS, one, {"reason": "x"}) for one in letters], PATIENCE)
    return held


def _in_postgresql(held: Planted) -> None:
    person = Person(NUMBER, NUMBER, USER_ID, name=NAME)
    held.media_key = f"{held.tenant_id}/2026/11/30/{held.line_id}/{uuid4()}"
    media = Media("image", "image/png", caption=WORDS, bucket=MEDIA_INBOUND, object_key=held.media_key)
    at = time.time() - 60
    with held.parts.pool.transaction() as cursor:
        [mapping, other] = conversations.resolve(
            cursor,
            [
                SeenPerson(held.tenant_id, held.line_id, person, at),
                SeenPerson(held.tenant_id, held.line_id, Person(OTHER, OTHER), at),
            ],
            16,
        )
        held.conversation_id = mapping.conversation_id
        conversations.see_genesys_conversations(cursor, [(mapping.conversation_id, "a-genesys-id")])
        for place, (whose, said) in enumerate(((mapping, WORDS), (mapping, WORDS), (other, OTHER_WORDS))):
            written = Message(
                f"{WAMID}{place}" if whose is mapping else uuid4().hex, person, at, text=said, media=media
            )
            if whose is other:
                written = Message(uuid4().hex, Person(OTHER, OTHER), at, text=said)
            row = Row(
                messages.new_id(), held.tenant_id, held.line_id, whose.conversation_id, whose.shard, "inbound",
                SortKey(at, at, place), written,
            )  # fmt: skip
            messages.insert(cursor, [NewRow(row, {"text": said})])
            events.note(cursor, [(row.id, "retry", said)])
            cursor.execute(
                """INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at, answer)
                   VALUES (%s, 1, %s, 1, now(), now(), %s)""",
                (row.id, held.line_id, said),
            )
        cursor.execute("UPDATE message_tracking SET state = 'read' WHERE source_id = %s", (f"{WAMID}0",))
        cursor.execute(
            """INSERT INTO conversation_ends (tenant_id, line_id, conversation_id, genesys_conversation_id, kind, at)
               VALUES (%s, %s, %s, 'a-genesys-id', 'over', now())""",
            (held.tenant_id, held.line_id, mapping.conversation_id),
        )
        cursor.execute(
            "INSERT INTO parked_receipts (line_id, provider_id, status, at) VALUES (%s, %s, 'read', now())",
            (held.line_id, WAMID + "9"),
        )
        endpoint = str(uuid4())
        cursor.execute(
            "INSERT INTO endpoints (id, tenant_id, url, kinds, sealed) VALUES (%s, %s, 'https://x.example', '{}', 'x')",
            (endpoint, held.tenant_id),
        )
        cursor.execute(
            """WITH told AS (INSERT INTO endpoint_events (endpoint_id, tenant_id, kind, lane, data)
                             VALUES (%s, %s, 'message.sent', %s, %s) RETURNING id)
               INSERT INTO endpoint_attempts (event_id, n, tenant_id, at, seconds, answer)
               SELECT id, 1, %s, now(), 0, %s FROM told""",
            (endpoint, held.tenant_id, mapping.conversation_id, json.dumps({"conversation_id": held.conversation_id}),
             held.tenant_id, WORDS),
        )  # fmt: skip
        for told in (SAID, {"wa_id": OTHER}):
            notices.keep(
                cursor,
                [NewNotice(held.tenant_id, held.line_id, "whatsapp", "news", "who knows", {"contact": told}, at)],
            )
    unknown_lines.keep(
        held.parts.pool, "whatsapp", unknown_lines.Signer("s", held.tenant_id),
        [(f"phone-{held.line_id}", NUMBER, 0, {"from": NUMBER, "text": WORDS})], datetime.now(UTC), "not active",
        zlib.compress(json.dumps({"from": NUMBER, "text": WORDS}).encode()),
    )  # fmt: skip


def _in_objects(held: Planted) -> None:
    day = f"{datetime.now(UTC):%Y/%m/%d}"
    ref = f"phone-{held.line_id}"
    own = envelope(change(ref, text(WORDS, NUMBER), contacts=[SAID]))
    own_part = change(ref, text(WORDS, NUMBER), text(OTHER_WORDS, OTHER), contacts=[SAID, {"wa_id": OTHER}])
    both = envelope(
        own_part, change("second-number", text("the second number's", OTHER), statuses=[status("wamid.1", NUMBER)])
    )
    mixed = envelope(own_part, change("another-tenants", text("another tenant's", OTHER)))
    agents = agent_text("integration", WORDS) | {
        "channel": {"id": "integration", "to": {"id": NUMBER, "nickname": NAME}}
    }
    line = [
        {"id": str(place), "received_at": time.time() - 30, "body": json.dumps(one)}
        for place, one in enumerate((own, both))
    ]
    packed = gzip.compress(b"\n".join(json.dumps(one).encode() for one in line) + b"\n")
    for bucket, key, raw in (
        (WEBHOOKS_INBOUND, f"{held.tenant_id}/{day}/000000-a.json", json.dumps(own).encode()),
        (WEBHOOKS_INBOUND, f"{held.tenant_id}/{day}/000000-b.json", json.dumps(both).encode()),
        (WEBHOOKS_INBOUND, f"{held.tenant_id}/{day}/000000-c.jsonl.gz", packed),
        (WEBHOOKS_INBOUND, f"_operator/{day}/000000-d.json", json.dumps(mixed).encode()),
        (WEBHOOKS_OUTBOUND, f"{held.tenant_id}/{day}/000000-e.json", json.dumps(agents).encode()),
        (MEDIA_INBOUND, held.media_key, FILE),
    ):
        held.parts.objects.put(bucket, key, io.BytesIO(raw), len(raw), "application/octet-stream")


def _update(held: Planted, sender: str, words: str, arrived_at: float | None = None) -> bytes:
    at = time.time() if arrived_at is None else arrived_at
    message = text(words, sender) | {"timestamp": str(int(at))}
    payload = {"field": "messages", "kind": "message", "message": message, "contact": {"wa_id": sender},
               "metadata": {"phone_number_id": f"phone-{held.line_id}"}}  # fmt: skip
    return dump(Update("whatsapp", held.tenant_id, held.line_id, sender, at, 0, payload))


def erase(held: Planted, monkeypatch: pytest.MonkeyPatch, contact: str = NUMBER) -> erasures.Erasure:
    return ended(held, monkeypatch, begin(held, contact))


def begin(held: Planted, contact: str = NUMBER) -> erasures.Erasure:
    parts = held.parts
    return erasures.begin(parts.pool, parts.cipher, Signers(parts.pool, parts.cipher), BY, held.tenant_id, contact)


def ended(held: Planted, monkeypatch: pytest.MonkeyPatch, begun: erasures.Erasure) -> erasures.Erasure:
    parts = held.parts
    monkeypatch.setattr("relay.actors.erasure.SETTLE_SECONDS", 0)
    actor = ErasureActor(parts)

    def is_whole() -> bool:
        actor.work()
        return erasures.get(parts.pool, held.tenant_id, begun.id).ended_at is not None

    wait_until(is_whole, message="the erasure")
    return erasures.get(parts.pool, held.tenant_id, begun.id)


def test_nothing_is_left_of_a_person_and_others_stay(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {place for place, _ in planted.found()}
    assert before >= {
        "message_tracking", "message_attempts", "message_events", "conversation_mappings", "contact_aliases",
        "genesys_conversations", "conversation_ends", "parked_receipts", "line_notices", "unknown_lines",
        "unknown_lines.raw", "endpoint_events", "endpoint_attempts",
        WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND, MEDIA_INBOUND, "redis", "dead letters",
    }  # fmt: skip
    certificate = erase(planted, monkeypatch)
    assert planted.found() == []
    bodies = [held for place, held in planted.everywhere() if place == WEBHOOKS_INBOUND]
    assert sum(OTHER_WORDS.encode() in body for body in bodies) == 3
    assert any(OTHER_WORDS.encode() in held for place, held in planted.everywhere() if place == "message_tracking")
    assert any(OTHER.encode() in held for place, held in planted.everywhere() if place == "line_notices")
    assert any(OTHER.encode() in held for place, held in planted.everywhere() if place == "dead letters")
    assert certificate.counts["message_tracking"] == 2
    assert (certificate.counts["files"], certificate.counts["dead_letters"]) == (1, 1)
    assert (certificate.counts["webhooks_deleted"], certificate.counts["webhooks_rewritten"]) == (1, 4)


def test_what_names_somebody_else_stays_whatever_digits_it_holds(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another person's longer number, and what another tenant was told of the same person."""
    pool, line_id, tenant_id, longer = planted.parts.pool, planted.line_id, planted.tenant_id, NUMBER + "5"
    others_id = "wamid." + base64.b64encode(b"\x1d\x04" + longer.encode()).decode()
    told = {"value": {"statuses": [{"recipient_id": NUMBER}, {"recipient_id": longer}]}}
    texts = [{"shortened": f'{{"from": "{one}"', "bytes": 70_000} for one in (longer, NUMBER)]
    with pool.transaction() as cursor:
        for payload in (told, {"contact": {"wa_id": longer}}, *texts):
            notices.keep(cursor, [NewNotice(tenant_id, line_id, "whatsapp", "news", "why", payload, time.time())])
        cursor.execute(
            "INSERT INTO parked_receipts (line_id, provider_id, status, at) VALUES (%s, %s, 'read', now())",
            (line_id, others_id),
        )
    unknown_lines.keep(
        pool, "whatsapp", unknown_lines.Signer("s", tenant_id),
        [(f"phone-{line_id}", longer, 0, {"from": longer})], datetime.now(UTC), "not active",
        zlib.compress(json.dumps([{"from": longer}, {"from": NUMBER}]).encode()),
    )  # fmt: skip
    theirs = change("another-tenants", text("another tenant's", OTHER), statuses=[status("wamid.1", NUMBER)])
    mixed = json.dumps(envelope(change(f"phone-{line_id}", text(WORDS, NUMBER), contacts=[SAID]), theirs)).encode()
    key = f"_operator/{datetime.now(UTC):%Y/%m/%d}/000000-{uuid4().hex}.json"
    planted.parts.objects.put(WEBHOOKS_INBOUND, key, io.BytesIO(mixed), len(mixed), "application/json")
    erase(planted, monkeypatch)
    with pool.autocommit() as cursor:
        cursor.execute("SELECT payload FROM line_notices WHERE tenant_id = %s ORDER BY id", (tenant_id,))
        left = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT provider_id FROM parked_receipts WHERE line_id = %s", (line_id,))
        parked = cursor.fetchall()
        cursor.execute("SELECT payload, raw FROM unknown_lines WHERE owner = %s", (tenant_id,))
        waiting = [(payload, json.loads(zlib.decompress(bytes(raw)))) for payload, raw in cursor.fetchall()]
    assert left == [
        {"contact": {"wa_id": OTHER}}, {"value": {"statuses": [{"recipient_id": longer}]}},
        {"contact": {"wa_id": longer}}, texts[0],
    ]  # fmt: skip
    assert parked == [(others_id,)]
    assert waiting == [({"from": longer}, [{"from": longer}])]
    with planted.parts.objects.open(WEBHOOKS_INBOUND, key) as chunks:
        kept = json.loads(b"".join(chunks))
    assert kept["entry"][-1]["changes"] == [theirs]
    assert WORDS not in json.dumps(kept)
    planted.parts.objects.delete(WEBHOOKS_INBOUND, key)
    erase(planted, monkeypatch, longer)
    assert planted.found() == []


def test_a_call_under_way_is_not_made_once_more(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = planted.parts
    with parts.pool.transaction() as cursor:
        cursor.execute(
            """UPDATE message_tracking SET state = 'sending', claimed_at = now() WHERE conversation_id = %s
               AND state <> 'read' RETURNING id::text, attempts""",
            (planted.conversation_id,),
        )
        [(message_id, attempts)] = cursor.fetchall()
    begun = begin(planted)
    with parts.pool.transaction() as cursor:
        later = time.time() + 1
        claims.record_verdicts(cursor, [Verdict(message_id, 1, attempts, "received", time.time(), "x", "y", later)])
        cursor.execute("SELECT state, reason_code, unfinished FROM message_tracking WHERE id = %s", (message_id,))
        assert cursor.fetchall() == [("dead", "erased", False)]
    ended(planted, monkeypatch, begun)
    assert planted.found() == []


def test_a_daemon_reads_those_who_were_erased_since_it_looked_and_forgets_them_in_time(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = planted.parts
    signers = Signers(parts.pool, parts.cipher)
    stones = Tombstones(parts.pool, signers)
    stones.refresh()
    with parts.pool.transaction() as cursor:
        tombstones.put(cursor, planted.tenant_id, tombstones.digests(signers, planted.tenant_id, [NUMBER]))
        cursor.execute("UPDATE tombstones SET erased_at = now() - interval '30 seconds'")
        tombstones.put(cursor, planted.tenant_id, tombstones.digests(signers, planted.tenant_id, [OTHER]))
    stones._read_at = float("-inf")  # as if seconds had passed
    stones.refresh()
    assert stones.erased_at(planted.tenant_id, NUMBER) and stones.erased_at(planted.tenant_id, OTHER)
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE tombstones SET erased_at = erased_at - interval '11 days', until = now()")
    stones._erased = {
        tenant: {one: at - 11 * 86400 for one, at in held.items()} for tenant, held in stones._erased.items()
    }
    stones._read_at = stones._tidied = float("-inf")
    stones.refresh()
    assert not stones.some(planted.tenant_id)
    erase(planted, monkeypatch)


def test_what_was_on_its_way_is_dropped_and_what_is_written_afterwards_is_somebody_news(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = planted.parts
    before = time.time()
    erase(planted, monkeypatch)
    stones = Tombstones(parts.pool, Signers(parts.pool, parts.cipher))
    intake = Intake(parts.pool, parts.channels, parts.limits.shards, catalogues.say, stones)
    repeated = _update(planted, NUMBER, WORDS, before - 5)
    late = json.loads(_update(planted, NUMBER, WORDS, before - 5)) | {"arrived_at": time.time() + 1}
    taken = intake.take([repeated, dump(late), _update(planted, OTHER, OTHER_WORDS)])
    assert (len(taken.arrived), taken.dead) == (1, [])
    assert planted.found() == []
    again = intake.take([_update(planted, NUMBER, "hello again", time.time() + 1)]).arrived
    assert [one.mapping.conversation_id != planted.conversation_id for one in again] == [True]


def test_a_raw_webhook_that_is_stored_afterwards_comes_without_the_person(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = planted.parts
    body = json.dumps(envelope(change("1", text(WORDS, NUMBER), text(OTHER_WORDS, OTHER), contacts=[SAID]))).encode()
    received = time.time()
    erase(planted, monkeypatch)
    marker = uuid4().hex
    kept = body.replace(OTHER_WORDS.encode(), marker.encode())
    parts.publisher.publish([archive("whatsapp", kept, received - 5, {planted.tenant_id: ["1"]}, True)], PATIENCE)
    ref = ArchiverActor.start(parts)
    find: Callable[[], Any] = lambda: [held for _, held in planted._objects() if marker.encode() in held]  # noqa: E731
    [stored] = wait_until(find, message="the stored webhook")
    ref.stop(timeout=PATIENCE)
    assert NUMBER.encode() not in stored
    assert NAME.encode() not in stored


def test_a_store_that_is_away_is_waited_for_and_the_certificate_comes_when_all_is_gone(
    planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = planted.parts
    begun = erasures.begin(parts.pool, parts.cipher, Signers(parts.pool, parts.cipher), BY, planted.tenant_id, USER_ID)
    step = erasures.take(parts.pool, parts.cipher)
    assert step is not None
    erasures.put_off(parts.pool, step, "the object store is away")
    shown = erasures.get(parts.pool, planted.tenant_id, begun.id)
    assert (shown.trouble, shown.ended_at) == ("the object store is away", None)
    with parts.pool.autocommit() as cursor:
        cursor.execute("UPDATE erasures SET due_at = now() WHERE id = %s", (begun.id,))
    monkeypatch.setattr("relay.actors.erasure.SETTLE_SECONDS", 0)
    actor = ErasureActor(parts)

    def ended() -> bool:
        actor.work()
        return erasures.get(parts.pool, planted.tenant_id, begun.id).ended_at is not None

    wait_until(ended, message="the erasure")
    with parts.pool.autocommit() as cursor:
        cursor.execute("SELECT sealed FROM erasures WHERE id = %s", (begun.id,))
        assert cursor.fetchone()[0] is None
    assert mappings.by_id(parts.pool, planted.conversation_id) is None


def test_a_contact_who_writes_while_it_is_deleted_stays_until_that_message_is_gone(planted: Planted) -> None:
    """A message whose contact is gone would wait for ever."""
    pool, conversation = planted.parts.pool, planted.conversation_id
    assert erasing.contact(pool, [conversation])["conversation_mappings"] == 0
    assert erasing.any_left(pool, [conversation])
    with pool.transaction() as cursor:
        cursor.execute("DELETE FROM message_tracking WHERE conversation_id = %s", (conversation,))
    assert erasing.contact(pool, [conversation])["conversation_mappings"] == 1
    assert not erasing.any_left(pool, [conversation])


def test_who_only_names_anothers_number_erases_nothing_of_theirs(parts: Parts) -> None:
    rival = new_line(parts.pool)
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET phone_number_id = 'theirs' WHERE id = %s RETURNING tenant_id::text", (rival,))
        tenant_id = cursor.fetchone()[0]
    waiting = [("theirs", OTHER, 0, {"from": OTHER})]
    unknown_lines.keep(
        parts.pool, "whatsapp", unknown_lines.Signer("s", None), waiting, datetime.now(UTC), "not active"
    )
    assert erasing.unknown(parts.pool, tenant_id, 0, lambda _: True) == (0, None)
    with parts.pool.transaction() as cursor:
        cursor.execute("UPDATE lines SET proven_at = now() WHERE id = %s", (rival,))
    assert erasing.unknown(parts.pool, tenant_id, 0, lambda _: True) == (1, None)


def test_one_tenant_erases_so_many_people_a_day(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasures, "A_DAY", 1)
    with parts.pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id::text FROM lines WHERE id = %s", (new_line(parts.pool),))
        tenant_id = cursor.fetchone()[0]
    asked = (parts.pool, parts.cipher, Signers(parts.pool, parts.cipher), BY, tenant_id)
    erasures.begin(*asked, "4915100000011")
    with pytest.raises(TakenError, match="ask again tomorrow"):
        erasures.begin(*asked, "4915100000012")
