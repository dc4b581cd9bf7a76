"""Traces and reports of errors of a whole installation, as their receivers get them: all of it, and nobody's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import requests

from tests.flow.chat import Chat
from tests.flow.installation import Installation
from tests.flow.receivers import Receiver, SeenSpan, receiving
from tests.waiting import PATIENCE, wait_until

NUMBER = "4915207654321"
WORDS = "my flat is at Fasanenweg 12"
REPLY = "we write to Fasanenweg then"
ATTRIBUTES = {
    "attempt", "code", "conversation_id", "direction", "http_status", "line_id", "message_id", "outcome", "provider",
    "tenant_id", "updates",
}  # fmt: skip


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="module")
def own_settings(receiver: Receiver) -> dict[str, str]:
    return {
        "TRACING_URL": receiver.url,
        "TRACING_SHARE": "1",
        "SENTRY_DSN": f"{receiver.url.replace('://', '://key@')}/1",
    }


@pytest.fixture(scope="module")
def chat(own_installation: Installation) -> Chat:
    return Chat(own_installation, own_installation.tenant("Observed")[0], NUMBER)


@pytest.fixture(scope="module")
def inbound(chat: Chat) -> str:
    """A customer's message whose first call fails, and which a later daemon sends; its id."""
    installation = chat.installation
    with installation.faults("genesys", error_rate=1, error_codes=[500], calls=["inbound_message"]):
        wamid = chat.writes(WORDS)
        wait_until(lambda: installation.row(wamid).get("attempts", 0) > 0, PATIENCE, "a call that fails")
        installation.daemon.stop()
    installation.daemon.start()
    installation.daemon.wait_ready()
    chat.agent_reads_in_time(WORDS)
    return str(installation.row(wamid)["id"])


@pytest.fixture(scope="module")
def outbound(chat: Chat, inbound: str) -> str:
    installation = chat.installation
    with installation.faults("meta", error_rate=1, error_codes=[131016], calls=["messages"]):
        source_id = chat.answers(REPLY)
        wait_until(lambda: installation.row(source_id).get("attempts", 0) > 0, PATIENCE, "a call that fails")
    chat.phone_reads_in_time(REPLY)
    return str(installation.row(source_id)["id"])


def told(receiver: Receiver, message_id: str) -> list[SeenSpan]:
    """The spans of a message, once its last call is among them."""

    def sent() -> bool:
        return any(one.of.get("relay.outcome") == "sent" for one in receiver.of_message(message_id))

    wait_until(sent, PATIENCE, "the span of the call that was taken")
    return receiver.of_message(message_id)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_a_message_is_one_trace_from_the_webhook_to_the_provider(
    receiver: Receiver, direction: str, request: pytest.FixtureRequest
) -> None:
    spans = told(receiver, request.getfixturevalue(direction))
    [webhook] = [one for one in spans if one.name == "webhook"]
    others = [one for one in spans if one is not webhook]
    assert len({one.trace_id for one in spans}) == 1
    assert {one.parent_id for one in others} == {webhook.span_id}
    assert [one.name for one in others if one.name == "queue"] == ["queue"]
    waits = [one for one in others if one.name == "conversation"]
    calls = [one for one in others if one.name == "send"]
    attempts = [one.of["relay.attempt"] for one in calls]
    assert len(attempts) >= 2 and attempts == list(range(1, len(attempts) + 1)) == [
        one.of["relay.attempt"] for one in waits
    ]
    assert calls[-1].of["relay.outcome"] == "sent" != calls[0].of["relay.outcome"]
    assert (webhook.of["service.name"], calls[0].of["service.name"]) == ("relay-web", "relay-daemon")
    assert {one.of["relay.direction"] for one in others} == {direction}
    assert all(webhook.began <= one.began <= one.ended for one in others)


def test_traces_name_ids_and_nobodys_words(receiver: Receiver, chat: Chat, inbound: str, outbound: str) -> None:
    told(receiver, inbound)
    told(receiver, outbound)
    named = {name.removeprefix("relay.") for one in receiver.spans for name in one.of if name.startswith("relay.")}
    assert named <= ATTRIBUTES
    row = chat.installation.rows("SELECT source_id FROM message_tracking WHERE direction = 'inbound'")[0]
    assert receiver.holds(NUMBER, "Fasanenweg", row["source_id"], chat.line.phone_number_id) == []


def test_they_are_counted(chat: Chat, receiver: Receiver, inbound: str, outbound: str) -> None:
    env = chat.installation.env

    def counted(port: str, series: str) -> Callable[[], bool]:
        return lambda: (
            f'{series}{{outcome="sent"}} 0.0'
            not in requests.get(f"http://127.0.0.1:{env[port]}/metrics", timeout=30).text
        )

    for port in ("WEB_PORT", "METRICS_PORT"):
        wait_until(counted(port, "relay_trace_spans_total"), PATIENCE, f"spans at {port}")


def test_unexpected_errors_are_reported_without_a_word_of_the_message(
    receiver: Receiver, chat: Chat, inbound: str, outbound: str
) -> None:
    """A row that nobody can read: the daemon fails at its content, web at its payload; both hold words and number."""
    installation = chat.installation
    with installation.without_daemon():
        broken = f'{{"person": "{NUMBER} says {WORDS}"}}'
        installation.rows(
            """UPDATE message_tracking SET state = 'received', content = %s, raw_payload = %s WHERE id = %s
               RETURNING id""",
            broken, broken.encode(), inbound,
        )  # fmt: skip
    address = f"{installation.env['PUBLIC_URL']}/api/messages/{inbound}/payload"
    headers = {
        "Authorization": f"Bearer {installation.env['ADMIN_API_KEY']}", "X-Tenant-ID": chat.line.tenant_id,
        "X-Request-ID": NUMBER, "User-Agent": WORDS,
    }  # fmt: skip
    assert requests.get(address, headers=headers, timeout=PATIENCE).status_code == 500
    reported_by(receiver, "relay-web")
    daemons = reported_by(receiver, "relay-daemon")
    assert any(b"ConversationActor" in one for one in daemons)
    logged = installation.web.output() + installation.daemon.output()
    assert "unexpected error" in logged and "actor_failed" in logged
    key = installation.env["ADMIN_API_KEY"]
    assert receiver.holds(NUMBER, "Fasanenweg", "flat", key, chat.line.phone_number_id) == []


def reported_by(receiver: Receiver, service: str) -> list[bytes]:
    def found() -> list[bytes]:
        return [one for one in receiver.reports if service.encode() in one]

    wait_until(lambda: bool(found()), PATIENCE, f"a report of {service}")
    return found()
