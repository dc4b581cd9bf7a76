"""Messages that a program asks for through the API, and dead letters that are sent again: order and once hold."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import gevent
import pytest
import requests

from sandbox.samples import sample
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until


class Program:
    """Another system of the tenant's, with the operator's key."""

    def __init__(self, installation: Installation, line: Line) -> None:
        self._base = installation.env["PUBLIC_URL"]
        self._headers = {
            "Authorization": f"Bearer {installation.env['ADMIN_API_KEY']}",
            "X-Tenant-ID": line.tenant_id,
        }

    def __call__(self, path: str, body: dict[str, Any], key: str | None = None) -> requests.Response:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return requests.post(self._base + path, json=body, headers=headers, timeout=30)

    def to_phone(self, to: str, text: str | None = None, key: str | None = None, **more: Any) -> requests.Response:
        return self("/whatsapp/send", {"to": to, **({"text": text} if text else {}), **more}, key)

    def to_agent(self, sender: str, text: str | None = None, key: str | None = None, **more: Any) -> requests.Response:
        return self("/genesys/messages/inbound", {"from": sender, **({"text": text} if text else {}), **more}, key)


@pytest.fixture
def program(installation: Installation, line: Line) -> Program:
    return Program(installation, line)


def row(installation: Installation, message_id: str) -> dict[str, Any]:
    return installation.rows("SELECT * FROM message_tracking WHERE id = %s", message_id)[0]


def blob(installation: Installation, kind: str) -> str:
    """An address at the stand-in where a file of this kind can be fetched by anybody."""
    file = sample(kind)
    origin = f"http://127.0.0.1:{installation.env['SANDBOX_PORT']}"
    return f"{origin}/control/blobs/{hashlib.sha256(file.data).hexdigest()}?type={quote(file.mime_type)}"


def test_a_text_to_the_phone(installation: Installation, line: Line, program: Program) -> None:
    chat = Chat(installation, line, "4917600000001").opened()
    answer = program.to_phone("+49 176 0000 0001", "Your order is on its way")
    assert answer.status_code == 200, answer.text
    sent = answer.json()
    assert sent["status"] in ("sent", "delivered", "read")
    assert sent["wamid"] == sent["provider_id"] is not None
    [shown] = wait_until(chat.on_the_phone, 20, "the phone to show it")
    assert (shown["text"], shown["id"]) == ("Your order is on its way", sent["wamid"])
    wait_until(lambda: row(installation, sent["id"])["delivered_at"], 20, "its receipt")
    assert row(installation, sent["id"])["report"] is None, "no agent wrote it"
    history = installation.api("GET", f"/api/messages/{sent['id']}")["history"]
    assert (history[0]["event"], history[0]["detail"]) == ("asked", "by operator")


def test_a_text_to_the_agents(installation: Installation, line: Line, program: Program) -> None:
    chat = Chat(installation, line, "4917600000002").opened()
    answer = program.to_agent(chat.wa_id, "Where is my order?", name="Ada Brandt")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] in ("sent", "delivered")
    assert answer.json()["genesys_conversation_id"]
    assert [one["text"] for one in chat.at_the_desk()] == ["hello", "Where is my order?"]
    chat.answers("It is on its way")
    wait_until(chat.on_the_phone, 20, "the agent's answer")


@pytest.mark.parametrize("kind", ["image", "document", "video"])
def test_a_file_both_ways(installation: Installation, line: Line, program: Program, kind: str) -> None:
    wa_id = f"491760000001{['image', 'document', 'video'].index(kind)}"
    chat = Chat(installation, line, wa_id)
    chat.writes(type=kind, sample=kind)  # the stand-in now holds such a file
    wait_until(chat.at_the_desk, 20, "the customer's own")
    file = {"type": kind, "media_url": blob(installation, kind), "caption": "as promised", "filename": "offer"}
    to_phone, to_agent = program.to_phone(wa_id, **file), program.to_agent(wa_id, **file)
    assert to_phone.json()["status"] in ("sent", "delivered", "read"), to_phone.text
    assert to_agent.json()["status"] in ("sent", "delivered"), to_agent.text
    [shown] = wait_until(chat.on_the_phone, 20, "the phone to show it")
    assert shown["type"] == kind
    wait_until(lambda: len(chat.at_the_desk()) == 2, 20, "the desk to show it")
    assert row(installation, to_phone.json()["id"])["media_url"].startswith("media-outbound/")
    assert row(installation, to_agent.json()["id"])["media_url"].startswith("media-inbound/")


def test_the_same_key_is_the_same_message(installation: Installation, line: Line, program: Program) -> None:
    chat = Chat(installation, line, "4917600000020").opened()
    running = [gevent.spawn(program.to_phone, chat.wa_id, "once", "order-1") for _ in range(6)]
    gevent.joinall(running)
    assert len({one.value.json()["id"] for one in running}) == 1
    again = program.to_phone(chat.wa_id, "once", "order-1")
    assert again.json()["id"] == running[0].value.json()["id"]
    chat.phone_reads_in_time("once")
    other = program.to_phone(chat.wa_id, "another text", "order-1")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert program.to_agent(chat.wa_id, "once", "order-1").status_code == 409, "nor in the other direction"
    first = program("/genesys/messages/inbound?wait=0", {"from": chat.wa_id, "text": "x", "name": "A"}, "order-2")
    assert first.status_code in (200, 202), first.text
    other = program("/genesys/messages/inbound?wait=0", {"from": chat.wa_id, "text": "x", "name": "B"}, "order-2")
    assert other.status_code == 409, "nor under another name"


def test_it_takes_its_turn_in_the_conversation(installation: Installation, line: Line, program: Program) -> None:
    chat = Chat(installation, line, "4917600000021").opened()
    wanted = []
    for number in range(5):
        program("/whatsapp/send?wait=0", {"to": chat.wa_id, "text": f"program {number}"})
        chat.answers(f"agent {number}")
        wanted += [f"program {number}", f"agent {number}"]
    wait_until(lambda: len(chat.on_the_phone()) == 10, 30, "all to arrive")
    assert [one["text"] for one in chat.on_the_phone()] == wanted


def test_a_failure_is_an_outcome_with_its_reason(installation: Installation, line: Line, program: Program) -> None:
    """Meta takes the call and says no a moment later: whoever asks again is told."""
    first = program.to_phone("4917600000022", "he never wrote to us", "k")
    assert first.status_code == 200, first.text
    wait_until(lambda: row(installation, first.json()["id"])["state"] == "failed", 20, "Meta's word")
    failed = program.to_phone("4917600000022", "he never wrote to us", "k").json()
    assert (failed["id"], failed["status"], failed["reason_code"]) == (first.json()["id"], "failed", "131047")
    assert failed["reason"]
    kept = row(installation, failed["id"])
    assert (kept["report"], kept["reported"]) == (None, None)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:{WEB_PORT}/health/live", "url_refused"),
        ("https://127.0.0.1:{WEB_PORT}/health/live", "url_refused"),
        ("https://127.0.0.1/health/live", "address_refused"),
        ("https://169.254.169.254/latest/meta-data/", "address_refused"),
        ("https://[::ffff:10.0.0.1]/a.jpg", "address_refused"),
        ("http://127.0.0.1:{SANDBOX_PORT}/control/blobs/0", "media_unavailable"),
    ],
)
def test_a_file_is_fetched_from_public_addresses_only(
    installation: Installation, line: Line, program: Program, url: str, code: str
) -> None:
    """Beside them only from the stand-in's own origin, which this installation has."""
    chat = Chat(installation, line, "4917600000023")
    given = url.format(**installation.env)
    for sent in (program.to_phone(chat.wa_id, type="image", media_url=given),
                 program.to_agent(chat.wa_id, type="image", media_url=given)):  # fmt: skip
        assert sent.status_code == 200, sent.text
        assert (sent.json()["status"], sent.json()["reason_code"]) == ("failed", code)
        assert row(installation, sent.json()["id"])["report"] is None
    assert chat.at_the_desk() == []


def test_what_cannot_go_now_is_answered_202_and_goes_later(installation: Installation, program: Program) -> None:
    [line] = installation.tenant("Paused")
    program = Program(installation, line)
    chat = Chat(installation, line, "4917600000024").opened()
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "paused"})
    answer = program("/whatsapp/send?wait=0.5", {"to": chat.wa_id, "text": "later"}, "k")
    assert (answer.status_code, answer.json()["status"]) == (202, "received")
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "active"})
    wait_until(chat.on_the_phone, 30, "it to arrive")
    again = program.to_phone(chat.wa_id, "later", "k")
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])
    assert len(chat.on_the_phone()) == 1


def test_dead_letters_go_again_in_their_old_order(installation: Installation) -> None:
    """Whether they had been called for or not."""
    [line] = installation.tenant("Buried")
    chat = Chat(installation, line, "4917600000025").opened()
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "paused"})
    texts = [f"message {number}" for number in range(6)]
    sources = [chat.answers(text) for text in texts]
    wait_until(lambda: all(installation.row(one) for one in sources), 20, "all to be taken in")
    for number, source in enumerate(sources):
        called = number % 2
        installation.rows(
            """UPDATE message_tracking SET state = 'dead', reason_code = 'x', reason = 'x', failed_at = now(),
                 report = 'failed', reported = 'failed', attempts = %s, claimed_at = CASE WHEN %s THEN now() END
               WHERE source_id = %s RETURNING 1""",
            called, bool(called), source,
        )  # fmt: skip
    # Its actor still has them in mind, which of true dead letters it has not.
    with installation.without_daemon():
        listed = installation.api("GET", "/api/dead-letters?limit=4", tenant=line.tenant_id)
    assert [one["text"] for one in listed["items"]] == texts[:1:-1]
    installation.api("PATCH", f"/api/tenants/{line.tenant_id}", {"status": "active"})
    begun = installation.api("POST", "/api/dead-letters/replays", {}, tenant=line.tenant_id)
    assert (begun["total"], begun["state"]) == (6, "running")
    wait_until(lambda: len(chat.on_the_phone()) == 6, 30, "all to arrive")
    assert [one["text"] for one in chat.on_the_phone()] == texts
    wait_until(lambda: installation.row(sources[5])["reported"] == "delivered", 30, "the agent to be told anew")

    def ended() -> bool:
        held = installation.api("GET", f"/api/dead-letters/replays/{begun['id']}", tenant=line.tenant_id)
        return (held["state"], held["carried"], held["under_way"]) == ("done", 6, 0)

    wait_until(ended, 30, "the replay to have counted them")


def test_a_failed_one_may_be_sent_again_by_its_id(installation: Installation) -> None:
    [line] = installation.tenant("Failing")
    chat = Chat(installation, line, "4917600000026").opened()
    source = chat.answers("to be refused")
    chat.state_in_time(source, "read")
    wait_until(lambda: installation.row(source)["reported"] == "delivered", 30, "all of its statuses to be dealt with")
    installation.rows(
        """UPDATE message_tracking SET state = 'failed', failed_at = now(), delivered_at = NULL, read_at = NULL,
             report = 'failed', reported = 'failed' WHERE source_id = %s RETURNING 1""",
        source,
    )
    body = {"ids": [str(installation.row(source)["id"])]}
    done = installation.api("POST", "/api/dead-letters/replay", body, tenant=line.tenant_id)
    assert done["replayed"] == 1
    wait_until(lambda: len(chat.on_the_phone()) == 2, 20, "it to arrive again")
    wait_until(lambda: installation.row(source)["reported"] == "delivered", 30, "the agent to be told")
    refused = installation.api("POST", "/api/dead-letters/replay", body, tenant=line.tenant_id)
    assert refused["replayed"] == 0
    assert "only what was given up or failed" in refused["refused"][0]["reason"]
