"""What Genesys tells of a conversation's end, in each shape that it comes in."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.channels.genesys.agents import GenesysAgents
from relay.channels.genesys.ends import ends
from relay.channels.genesys.events import MOST
from relay.core.conversation.ends import ConversationEnd

TALK = "7a1f0000-0000-4000-8000-000000000001"
OVER: dict[str, Any] = {
    "eventTime": 1_796_000_000_123, "conversationId": TALK, "participantId": "p-1", "mediaType": "MESSAGE",
    "messageType": "OPEN", "disconnectType": "CLIENT",
}  # fmt: skip
LEFT = OVER | {"userId": "u-1", "interactingDurationMs": 42_000}
EVENTBRIDGE = {
    "version": "0", "id": "e-1", "detail-type": "v2.detail.events.conversation.{id}.customer.end",
    "source": "aws.partner/genesys.com/cloud/org/relay", "time": "2026-11-30T12:00:00Z",
    "detail": {"topicName": f"v2.detail.events.conversation.{TALK}.customer.end", "version": "2", "eventBody": OVER},
}  # fmt: skip
END = ConversationEnd("over", TALK, 1_796_000_000.123, "p-1", "CLIENT")


@pytest.mark.parametrize(
    "body",
    [
        EVENTBRIDGE,
        [EVENTBRIDGE],
        EVENTBRIDGE["detail"],
        {"event": "customer.end"} | OVER,
        {"event": "customer.end", "eventBody": OVER},
        {"topic": f"v2.detail.events.conversation.{TALK}.customer.end"} | OVER,
        {"detail-type": "v2.detail.events.conversation.{id}.customer.end", "detail": OVER},
        {"event": "Customer.End "} | OVER | {"eventTime": "1796000000123", "conversationId": TALK.upper()},
        {"event": "customer.end"} | OVER | {"eventTime": "2026-11-30T00:53:20.123Z"},
    ],
)
def test_every_shape_of_an_end_is_read(body: Any) -> None:
    assert list(ends(body)) == [END]


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({}, "agent_left"),
        ({"interactingDurationMs": "42000"}, "agent_left"),
        ({"disconnectType": "PEER"}, "agent_left"),
        ({"disconnectType": None}, "agent_left"),
        ({"interactingDurationMs": 0}, None),
        ({"interactingDurationMs": None}, None),
        ({"interactingDurationMs": "never"}, None),
        ({"disconnectType": "TRANSFER"}, None),
        ({"disconnectType": "consult_transfer"}, None),
        ({"disconnectType": "NO_ANSWER_TRANSFER"}, None),
        ({"mediaType": "VOICE"}, None),
        ({"messageType": "WHATSAPP"}, None),
        ({"mediaType": None, "messageType": None}, "agent_left"),
        ({"conversationId": ""}, None),
        ({"conversationId": "x" * 65}, None),
    ],
)
def test_an_agent_has_left_who_talked_and_did_not_pass_it_on(event: dict[str, Any], kind: str | None) -> None:
    found = list(ends({"topicName": f"v2.detail.events.conversation.{TALK}.user.end", "eventBody": LEFT | event}))
    assert [one.kind for one in found] == ([kind] if kind else [])


@pytest.mark.parametrize("topic", ["customer.start", "user.start", "acd.end", "wrapup", "attributes", "", None, 7])
def test_other_events_are_no_ends(topic: Any) -> None:
    assert list(ends({"event": topic} | OVER)) == []


def test_an_end_without_a_time_is_of_now() -> None:
    before = time.time()
    [found] = ends({"event": "customer.end", "conversationId": TALK})
    assert before <= found.at <= time.time()
    assert (found.participant, found.reason) == ("", "")


def test_more_than_a_body_may_hold_is_left_out() -> None:
    assert len(list(ends([{"event": "customer.end"} | OVER] * (MOST + 1)))) == MOST


def test_envelopes_within_envelopes_end_somewhere() -> None:
    body: Any = OVER
    for _ in range(200):
        body = {"detail": body, "event": "customer.end"}
    assert list(ends(body)) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from([*OVER, "detail", "eventBody", "topicName", "event"]), inner, max_size=5
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_anything_at_all_is_read_without_trouble(body: Any) -> None:
    for found in ends(body):
        assert found.kind in ("over", "agent_left")
        assert found.conversation


def test_of_agents_who_come_and_go_it_is_told_in_which_conversations() -> None:
    def event(topic: str, conversation: str, **more: object) -> dict[str, object]:
        return {"topicName": f"v2.detail.events.conversation.{conversation}.{topic}", "eventBody": {
            "conversationId": conversation, "mediaType": "MESSAGE", **more}}  # fmt: skip

    body = [
        event("user.start", "a"), event("user.end", "b", disconnectType="TRANSFER"), event("user.end", "c"),
        event("user.start", "c"), event("customer.end", "d"), event("user.start", "e", mediaType="VOICE"), 7, {},
    ]  # fmt: skip
    assert GenesysAgents.moves(body) == {"a": False, "b": True, "c": True}
