"""POST /genesys/events and GET /api/conversations/{id}/ends: how conversations end at Genesys."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from db.access import api_keys
from db.audit import Author
from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.cursor import Cursor
from db.mailbox import ends, messages
from db.pool import Pool
from db.tenants import onboarding
from db.tenants.changes import Changes
from relay.core.mailbox import NewRow, Row
from relay.core.messages import Message, Person
from relay.core.ordering import SortKey
from tests.api.conftest import Api
from tests.api.test_rotation import active_line
from web.request.web_context import WebContext


@dataclass
class Talk:
    """A contact's conversation with a line, in one at Genesys."""

    api: Api
    pool: Pool
    tenant_id: str
    line_id: str
    id: str
    genesys_id: str
    key: str

    def ended(self, topic: str = "customer.end", at: float | None = None, **event: Any) -> dict[str, Any]:
        told = {
            "eventTime": round((time.time() if at is None else at) * 1000), "conversationId": self.genesys_id,
            "participantId": "p-1", "mediaType": "MESSAGE", "disconnectType": "CLIENT",
        }  # fmt: skip
        named = f"v2.detail.events.conversation.{self.genesys_id}.{topic}"
        return {"detail-type": "any", "detail": {"topicName": named, "eventBody": told | event}}

    def tells(self, body: Any, key: str | None = None) -> dict[str, Any]:
        answer = self.api("POST", "/genesys/events", body, key=key or self.key)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found: dict[str, Any] = answer.get_json()
        return found

    def listed(self) -> list[dict[str, Any]]:
        answer = self.api("GET", f"/api/conversations/{self.id}/ends", X_Tenant_ID=self.tenant_id)
        found: list[dict[str, Any]] = answer.get_json()["items"]
        return found

    def sent(self) -> list[str]:
        with self.pool.autocommit() as cursor:
            cursor.execute(
                """SELECT content ->> 'text' FROM message_tracking
                   WHERE conversation_id = %s AND direction = 'outbound' ORDER BY sort_time""",
                (self.id,),
            )
            return [row[0] for row in cursor.fetchall()]

    def customer_writes(self, at: float) -> None:
        with self.pool.transaction() as cursor:
            row = Row(
                messages.new_id(), self.tenant_id, self.line_id, self.id, 0, "inbound", SortKey(at, at, 0),
                Message(uuid4().hex, Person("4915112345678"), at, text="hello again"),
            )  # fmt: skip
            messages.insert(cursor, [NewRow(row, {})])


@pytest.fixture
def talk(api: Api, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]) -> Talk:
    tenant_id, genesys_id = new_tenant(), str(uuid4())
    line_id = active_line(parts, pool, tenant_id)
    settings = {"end_text": "Thank you, {name}."}
    onboarding.configure(Changes(pool, parts.cache.forget_routes), Author("test"), tenant_id, line_id, settings)
    person = Person("4915112345678", wa_id="4915112345678", name="Ada")
    with pool.transaction() as cursor:
        seen = SeenPerson(tenant_id, line_id, person, window_until=time.time() + 3600)
        [mapping] = conversations.resolve(cursor, [seen], 16)
        conversations.see_genesys_conversations(cursor, [(mapping.conversation_id, genesys_id)])
    key = api_keys.create(pool, Author("test"), tenant_id, "EventBridge", ["events:write"], None)[1]
    return Talk(api, pool, tenant_id, line_id, mapping.conversation_id, genesys_id, key)


def test_an_end_is_kept_shown_and_followed_once(talk: Talk) -> None:
    end = talk.ended()
    assert talk.tells(end) == {"ends": 1, "new": 1}
    assert talk.tells([end, {"event": "customer.end", "conversationId": talk.genesys_id}]) == {"ends": 2, "new": 0}
    assert talk.sent() == ["Thank you, Ada."]
    [shown] = talk.listed()
    assert (shown["kind"], shown["reason"], shown["genesys_conversation_id"]) == ("over", "CLIENT", talk.genesys_id)
    found = talk.api("GET", f"/api/messages/{shown['message_id']}", X_Tenant_ID=talk.tenant_id).get_json()
    assert (found["text"], found["origin"]) == ("Thank you, Ada.", "api")
    assert [one["event"] for one in found["history"]] == ["after_end"]


def test_after_the_customer_has_written_it_may_end_once_more(talk: Talk) -> None:
    now = time.time()
    talk.tells(talk.ended(at=now - 60))
    assert talk.tells(talk.ended(at=now - 59)) == {"ends": 1, "new": 0}
    talk.customer_writes(now - 40)
    assert talk.tells(talk.ended(at=now - 60)) == {"ends": 1, "new": 0}
    assert talk.tells(talk.ended(at=now - 20)) == {"ends": 1, "new": 1}
    assert talk.sent() == ["Thank you, Ada."] * 2


def test_an_agent_who_leaves_is_shown_and_nothing_is_sent(talk: Talk) -> None:
    assert talk.tells(talk.ended("user.end", interactingDurationMs=5000)) == {"ends": 1, "new": 1}
    assert talk.tells(talk.ended("user.end", interactingDurationMs=0)) == {"ends": 0, "new": 0}
    assert talk.tells(talk.ended("user.end", interactingDurationMs=5000, disconnectType="TRANSFER"))["ends"] == 0
    assert [one["kind"] for one in talk.listed()] == ["agent_left"]
    assert talk.sent() == []


def test_what_is_told_too_late_is_shown_and_nothing_is_sent(talk: Talk) -> None:
    assert talk.tells(talk.ended(at=time.time() - ends.FOLLOWED_SECONDS - 1)) == {"ends": 1, "new": 1}
    assert talk.sent() == []


def test_an_end_after_which_the_customer_wrote_before_it_was_told_is_shown_and_nothing_is_sent(talk: Talk) -> None:
    now = time.time()
    talk.customer_writes(now - 30)
    assert talk.tells(talk.ended(at=now - 60)) == {"ends": 1, "new": 1}
    assert ([one["kind"] for one in talk.listed()], talk.sent()) == (["over"], [])
    assert talk.tells(talk.ended(at=now - 10)) == {"ends": 1, "new": 1}
    assert talk.sent() == ["Thank you, Ada."]


def test_invented_agents_who_leave_do_not_fill_the_table(talk: Talk) -> None:
    now, most = time.time(), ends.LEFT_A_DAY
    told = [talk.ended("user.end", at=now - n, interactingDurationMs=1, participantId=f"p-{n}") for n in range(70)]
    assert talk.tells(told) == {"ends": 70, "new": most}
    long_ago = talk.ended("user.end", at=now - (ends.LATEST_LEFT_DAYS + 1) * 86_400, interactingDurationMs=1)
    assert talk.tells(long_ago) == {"ends": 1, "new": 0}
    yesterday = talk.ended("user.end", at=now - 100_000, interactingDurationMs=1)
    assert talk.tells(yesterday) == {"ends": 1, "new": 1}
    assert len(talk.listed()) == most + 1


def test_of_what_is_told_together_each_end_counts_once_and_again_after_the_customer_wrote(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = time.time() - 300
    statements: list[str] = []
    execute = Cursor.execute

    def counted(cursor: Any, sql: Any, *values: Any) -> Any:
        statements.append(str(sql))
        return execute(cursor, sql, *values)

    talk.customer_writes(at + 30)
    monkeypatch.setattr(Cursor, "execute", counted)
    times = [at, at + 10, at + 40, at + 50, at + 40]
    ended = [talk.ended("customer.end", at=when) for when in times]
    left = [talk.ended("user.end", at=at + 1, participantId=f"p-{n}", interactingDurationMs=5) for n in range(60)]
    assert talk.tells([*ended, *left]) == {"ends": 65, "new": 52}
    assert sum("INSERT INTO conversation_ends" in sql for sql in statements) == 1
    monkeypatch.undo()
    assert [one["kind"] for one in talk.listed()].count("over") == 2
    assert talk.tells([*ended, *left]) == {"ends": 65, "new": 0}


def test_ids_count_with_dashes_and_without(talk: Talk) -> None:
    without = talk.ended(conversationId=talk.genesys_id.replace("-", ""))
    assert talk.tells(without) == {"ends": 1, "new": 1}
    assert talk.tells(talk.ended()) == {"ends": 1, "new": 0}
    assert talk.sent() == ["Thank you, Ada."]


def test_conversations_of_nobody_and_of_others_are_left_alone(
    talk: Talk, parts: WebContext, pool: Pool, new_tenant: Callable[..., str]
) -> None:
    assert talk.tells(talk.ended(conversationId=str(uuid4()))) == {"ends": 1, "new": 0}
    other = new_tenant("Other")
    active_line(parts, pool, other, "3009", "int-9")
    foreign = api_keys.create(pool, Author("test"), other, "k", ["events:write"], None)[1]
    assert talk.tells(talk.ended(), key=foreign) == {"ends": 1, "new": 0}
    assert (talk.listed(), talk.sent()) == ([], [])


def test_only_a_key_for_events_may_tell_of_them(api: Api, talk: Talk, pool: Pool) -> None:
    weak = api_keys.create(pool, Author("test"), talk.tenant_id, "k", ["messages:send", "messages:read"], None)[1]
    api.error(api("POST", "/genesys/events", talk.ended(), key=weak), 403, "forbidden")
    api.error(api("POST", "/genesys/events", talk.ended(), key="nobody's"), 401, "unauthorised")
    api.error(api("GET", f"/api/conversations/{talk.id}/ends", key=talk.key), 403, "forbidden")
    assert talk.listed() == []


@pytest.mark.parametrize("raw", [b"", b"{", b"[" * 70_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_is_refused(api: Api, talk: Talk, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {talk.key}", "Content-Type": "application/json"}
    answer = api._client.post("/genesys/events", data=raw, headers=headers)
    api.error(answer, 400, "invalid_request")


def test_old_ends_are_deleted(talk: Talk, pool: Pool) -> None:
    talk.tells(talk.ended())
    with pool.transaction() as cursor:
        assert ends.expire(cursor) == 0
        cursor.execute("UPDATE conversation_ends SET told_at = now() - interval '366 days'")
        assert ends.expire(cursor) == 1
