"""Ends heard at the stand-in by the relay's own channel, and what becomes of one that tells nothing."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from relay.channels.base import Listening
from relay.channels.feeds import EventFeed
from relay.channels.genesys import listening as genesys_listening
from relay.core.conversation.ends import ConversationEnd
from relay.core.conversation.signature import AgentName
from relay.core.errors import SendError
from tests.contract.relay_side import CONTACT, Relay, soon
from tests.contract.test_channel_history import hello


def of(relay: Relay) -> Listening:
    ends = relay.genesys.ends
    assert ends is not None
    return ends.listening


def test_an_end_is_heard_as_it_is_told_by_eventbridge(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    channel = of(relay).channel(relay.integration, soon())
    ids = ["nobody's", conversation, conversation.replace("-", "")]
    assert of(relay).subscribe(channel, ids, relay.integration, soon()) is None
    stream = of(relay).listen(channel, relay.integration, soon())
    try:
        relay.control(f"agent/{CONTACT}/end", integration_id=relay.integration.line_ref)
        bodies = [stream.heard(soon()), stream.heard(soon())]
        assert relay.genesys.ends is not None
        assert [one.kind for one in relay.genesys.ends.told(bodies)] == ["agent_left", "over"]
        assert {one.conversation for one in relay.genesys.ends.told(bodies) if isinstance(one, ConversationEnd)} == {
            conversation
        }
    finally:
        stream.close()


def test_as_many_conversations_as_a_channel_holds_are_taken(relay: Relay) -> None:
    channel = of(relay).channel(relay.integration, soon())
    many = [str(uuid4()) for _ in range(of(relay).most + 1)]
    assert of(relay).subscribe(channel, many, relay.integration, soon()) is None


def test_who_hears_nothing_asks_and_gives_up_who_does_not_answer(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = of(relay).channel(relay.integration, soon())
    stream = of(relay).listen(channel, relay.integration, soon())
    monkeypatch.setattr(genesys_listening, "PING_SECONDS", 0.0)
    try:
        assert stream.heard(time.monotonic() + 0.05) is None
        assert stream.heard(soon())["eventBody"] == {"message": "pong"}
        monkeypatch.setattr(genesys_listening, "SILENT_SECONDS", 0.0)
        with pytest.raises(SendError) as silent:
            stream.heard(time.monotonic() + 0.05)
        assert silent.value.code == "silent"
    finally:
        stream.close()


def test_a_channel_that_is_gone_is_told_as_such(relay: Relay) -> None:
    gone = EventFeed("streaming-0-gone", f"{relay.url.replace('http', 'ws')}/genesys/streaming/channels/gone")
    with pytest.raises(SendError) as unknown:
        of(relay).subscribe(gone, [], relay.integration, soon())
    assert unknown.value.status == 404
    with pytest.raises(SendError) as refused:
        of(relay).listen(gone, relay.integration, soon())
    assert refused.value.status == 404
    elsewhere = EventFeed("x", "wss://streaming.elsewhere.example/channels/x")
    with pytest.raises(SendError) as elsewhere_refused:
        of(relay).listen(elsewhere, relay.integration, soon())
    assert elsewhere_refused.value.code == "url_refused"


def test_who_talks_in_a_conversation_is_read_back_with_the_name_of_the_profile(relay: Relay) -> None:
    _, _, conversation = hello(relay)
    assert relay.genesys.ends is not None
    agents, line = relay.genesys.ends.agents, relay.integration
    second = "33333333-cccc-4000-8000-000000000002"
    relay.control(f"agent/{CONTACT}/join", integration_id=line.line_ref, user_id=second)
    assert agents.talking(conversation, line, soon()) == {second: AgentName("Ben Sandbox")}
    relay.control(f"agent/{CONTACT}/leave", integration_id=line.line_ref)
    assert agents.talking(conversation, line, soon()) == {}
    first = second[:-1] + "1"
    assert agents.person(first, line, soon()) == AgentName("Ana Sandbox", "Annie")
    with pytest.raises(SendError):
        agents.person("nobody", line, soon())
