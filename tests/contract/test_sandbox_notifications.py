"""The stand-in's notification channels, as strict as Genesys' own, and its WebSocket heard by a client of its own."""

import json
import time
from uuid import UUID

import pytest

from relay.channels.http.client import HttpTransport
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.channels.http.websocket import WebSocket
from relay.core.errors import SendError
from tests.contract.conftest import INTEGRATION, Sandbox, channel
from tests.contract.sdk_models import problems
from tests.unit.relay.channels.accounts import Tokens
from tests.waiting import PATIENCE, wait_until

CHANNELS = "/notifications/channels"


def end_of(conversation: str) -> str:
    return f"v2.detail.events.conversation.{conversation}.customer.end"


def opened(sandbox: Sandbox) -> tuple[str, str]:
    made = sandbox.platform("POST", CHANNELS).json()
    return made["id"], made["connectUri"]


def connected(sandbox: Sandbox, uri: str) -> WebSocket:
    trust = TrustedOrigins(own_origins(sandbox.url))
    return HttpTransport(Tokens()).web_socket(uri, trust, time.monotonic() + PATIENCE)


def heard(link: WebSocket) -> dict[str, object]:
    found: dict[str, object] = json.loads(link.receive(time.monotonic() + PATIENCE) or "{}")
    return found


def test_a_channel_hears_the_end_of_the_conversations_that_it_subscribed_to(sandbox: Sandbox) -> None:
    conversation = sandbox.inject(
        "message", {"channel": channel(messageId="wamid.1"), "text": "Hello"}, "?prefetchConversationId=true"
    ).json()["conversationId"]
    made, uri = opened(sandbox)
    answer = sandbox.platform("PUT", f"{CHANNELS}/{made}/subscriptions", json=[{"id": end_of(conversation)}])
    assert problems("ChannelTopicEntityListing", answer.json()) == []
    link = connected(sandbox, uri)
    link.send('{"message": "ping"}')
    assert heard(link)["eventBody"] == {"message": "pong"}
    sandbox.control("/agent/contact-1/end", {"integration_id": INTEGRATION})
    assert heard(link)["topicName"] == end_of(conversation)
    second = connected(sandbox, uri)  # one socket a channel: the first gives way
    with pytest.raises(SendError):
        heard(link)
    for one in (link, second):
        one.close()


def test_topics_without_an_id_or_a_permission_are_rejected_and_too_many_refused(sandbox: Sandbox) -> None:
    made, _ = opened(sandbox)
    path = f"{CHANNELS}/{made}/subscriptions"
    wild = sandbox.platform("PUT", path, json=[{"id": "v2.detail.events.conversation.{id}.customer.end"}]).json()
    assert [one["state"] for one in wild["entities"]] == ["Rejected"]
    many = [{"id": end_of(str(UUID(int=number)))} for number in range(1001)]
    assert sandbox.platform("PUT", path, json=many).status_code == 400
    assert sandbox.platform("PUT", path, json=many[:1000]).status_code == 200
    assert sandbox.platform("POST", path, json=many[1000:]).status_code == 400
    sandbox.control("/accounts", {"genesys": {"integration_id": INTEGRATION, "permissions": []}})
    [told] = sandbox.platform("PUT", path, json=many[:1]).json()["entities"]
    assert (told["state"], told["missingPermissions"]) == ("Rejected", ["analytics:conversationDetail:view"])


def test_the_twenty_first_channel_of_a_client_takes_the_oldests_place(sandbox: Sandbox) -> None:
    first, uri = opened(sandbox)
    link = connected(sandbox, uri)
    for _ in range(20):
        opened(sandbox)
    assert sandbox.platform("HEAD", f"{CHANNELS}/{first}").status_code == 404
    with pytest.raises(SendError):
        heard(link)
    with pytest.raises(SendError) as refused:
        connected(sandbox, uri)
    assert refused.value.code == "http_404"
    wait_until(lambda: len(sandbox.platform("GET", CHANNELS).json()["entities"]) == 20, message="twenty channels")
