"""The relay's own webhooks: what their receivers can verify, and where they never go."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from relay.channels.webhooks.client import Receiver, WebhookClient
from relay.channels.webhooks.signing import new_secret
from relay.core.errors import SendError
from tests.security.names import resolving
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import Served, answer, half, reset, routes, serving

BODY = '{"type":"message.received","text":"Grüße 👋"}'.encode()
ID = "evt_00000000000000000000000000000001"
TAKES = routes({"POST /in": (204, b"")})


@pytest.fixture
def secret() -> str:
    return new_secret()


@contextmanager
def client(served: Served, seconds: float = 5) -> Iterator[WebhookClient]:
    made = WebhookClient(Tokens(), {"": [served.url]}, seconds)
    try:
        yield made
    finally:
        made.close()


def refused(call: WebhookClient, receiver: Receiver) -> SendError:
    with pytest.raises(SendError) as caught:
        call.post(receiver, ID, BODY)
    shown = f"{caught.value!r} {caught.value.__dict__} {receiver!r}"
    assert not [one for one in receiver.secrets if one in shown or one.removeprefix("whsec_") in shown]
    return caught.value


def test_a_receiver_verifies_it_with_the_standards_own_library(secret: str) -> None:
    with serving(TAKES) as served, client(served) as webhooks:
        assert webhooks.post(Receiver(f"{served.url}/in", (secret,)), ID, BODY) == 204
    (asked,) = served.asked
    assert asked.body == BODY
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["webhook-id"] == ID
    assert Webhook(secret).verify(asked.body, asked.headers)["text"] == "Grüße 👋"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(asked.body + b" ", asked.headers)


def test_while_a_secret_changes_each_of_the_two_verifies_it(secret: str) -> None:
    newer, other = new_secret(), new_secret()
    with serving(TAKES) as served, client(served) as webhooks:
        webhooks.post(Receiver(f"{served.url}/in", (newer, secret)), ID, BODY)
    (asked,) = served.asked
    for one in (newer, secret):
        Webhook(one).verify(asked.body, asked.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(asked.body, asked.headers)


def test_a_secret_has_the_standards_form_and_is_never_twice_the_same(secret: str) -> None:
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret != new_secret()


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (302, "retry"),
        (400, "retry"),
        (401, "retry"),
        (404, "retry"),
        (410, "refused"),
        (429, "throttled"),
        (500, "retry"),
    ],
)
def test_whatever_is_not_taken_says_what_to_do(secret: str, status: int, fate: str) -> None:
    said = f"not now, {secret}".encode()

    def answers(_: Served, sock: object, __: object) -> bool:
        return answer(sock, said, status, Location="http://127.0.0.1/away", Retry_After="7")  # type: ignore[arg-type]

    with serving(answers) as served, client(served) as webhooks:
        error = refused(webhooks, Receiver(f"{served.url}/in", (secret,)))
    assert (error.fate, error.status, error.code) == (fate, status, str(status))
    assert error.answer is not None
    assert error.answer.startswith("not now, ")
    assert error.retry_after == (7 if fate == "throttled" else None)
    assert len(served.asked) == 1, "a redirect is not followed"


def test_an_answer_lost_is_tried_again(secret: str) -> None:
    with serving(lambda _, sock, __: reset(sock)) as served, client(served) as webhooks:
        assert refused(webhooks, Receiver(f"{served.url}/in", (secret,))).fate == "retry"
    with serving(half(b"HTTP/1.1 200 OK\r\nContent-")) as served, client(served, 0.5) as webhooks:
        assert refused(webhooks, Receiver(f"{served.url}/in", (secret,))).fate == "retry"


def test_who_does_not_answer_is_left_at_the_deadline(secret: str) -> None:
    with serving(lambda _, sock, __: bool(sock.recv(1))) as served, client(served, 0.3) as webhooks:
        error = refused(webhooks, Receiver(f"{served.url}/in", (secret,)))
    assert (error.fate, error.code) == ("retry", "timeout")


def test_an_answer_without_end_is_taken_by_its_status_and_not_read(secret: str) -> None:
    def endless(_: Served, sock: object, __: object) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")  # type: ignore[attr-defined]
        try:
            while True:
                sock.sendall(b"x" * 65536)  # type: ignore[attr-defined]
        except OSError:
            return False

    with serving(endless) as served, client(served) as webhooks:
        for _ in range(2):
            assert webhooks.post(Receiver(f"{served.url}/in", (secret,)), ID, BODY) == 200
    assert served.connections == 2, "a connection with something left to read is not used again"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/in", "url_refused"),
        ("https://example.com:8443/in", "url_refused"),
        ("https://user:pw@example.com/in", "url_refused"),
        ("https://127.0.0.1/in", "address_refused"),
        ("https://169.254.169.254/latest", "address_refused"),
        ("https://[::1]/in", "address_refused"),
        ("ftp://example.com/in", "url_refused"),
    ],
)
def test_nobody_has_it_post_into_a_private_network(secret: str, url: str, code: str) -> None:
    webhooks = WebhookClient(Tokens())
    error = refused(webhooks, Receiver(url, (secret,)))
    assert (error.fate, error.code) == ("refused", code)


def test_what_one_tenant_may_reach_inside_nobody_else_does(secret: str) -> None:
    with serving(lambda _, sock, __: answer(sock, {})) as served:
        webhooks = WebhookClient(Tokens(), {"one": [served.url]})
        assert webhooks.post(Receiver(f"{served.url}/in", (secret,), "one"), ID, BODY) == 200
        for other in ("", "another"):
            error = refused(webhooks, Receiver(f"{served.url}/in", (secret,), other))
            assert (error.fate, error.code) == ("refused", "url_refused")
            with pytest.raises(SendError):
                webhooks.admit(f"{served.url}/in", other)
        assert len(served.asked) == 1


def test_a_name_is_resolved_once_and_a_private_answer_is_not_called(secret: str) -> None:
    with resolving(["127.0.0.1"]) as names:
        error = refused(WebhookClient(Tokens()), Receiver("https://hooks.shop.example/in", (secret,)))
    assert error.code == "address_refused"
    assert names.asked == 1
