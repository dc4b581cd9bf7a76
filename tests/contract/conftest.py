"""A sandbox in its own process, a client for it, and a receiver that stands where the relay would."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from gevent.pywsgi import WSGIServer
from playwright.sync_api import Browser, Page, expect

from demo.stack.ports import HOST, free_port
from sandbox.accounts import PERMISSIONS
from tests.browser import context as browser_context
from tests.browser import launched
from tests.contract.relay_side import relay  # noqa: F401 - a fixture
from tests.processes import sandbox as sandbox_process
from tests.waiting import wait_until

NUMBER, WABA, APP = "300000000000001", "200000000000001", "100000000000001"
TOKEN, APP_SECRET, VERIFY_TOKEN = "EAAG-demo-token-nordwind", "demo-app-secret-nordwind-0001", "demo-verify-token"
CLIENT, CLIENT_SECRET = "11111111-aaaa-4000-8000-000000000001", "demo-client-secret-nordwind"
INTEGRATION, WEBHOOK_SECRET = "22222222-bbbb-4000-8000-000000000001", "demo-webhook-secret-nordwind"
CUSTOMER = "4915112345678"


class Sandbox:
    """The calls that the tests repeat, each one a real HTTP request."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self._genesys_token = ""

    def control(self, path: str, body: Any = None, method: str = "") -> Any:
        answer = self.http.request(
            method or ("GET" if body is None else "POST"), f"{self.url}/control{path}", json=body
        )
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def graph(self, method: str, path: str, token: str | None = TOKEN, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.request(method, f"{self.url}/graph/v25.0/{path}", headers=headers, **options)

    def send(self, body: dict[str, Any], number: str = NUMBER, token: str | None = TOKEN) -> requests.Response:
        return self.graph("POST", f"{number}/messages", token, json={"messaging_product": "whatsapp"} | body)

    def send_text(self, text: str, **more: Any) -> requests.Response:
        return self.send({"to": f"+{CUSTOMER}", "type": "text", "text": {"body": text}} | more)

    def upload(self, data: bytes, part_type: str, **fields: str) -> requests.Response:
        form = {"messaging_product": "whatsapp", "type": part_type} | fields
        return self.graph("POST", f"{NUMBER}/media", data=form, files={"file": ("a.bin", data, part_type)})

    def login(self) -> str:
        answer = self.http.post(
            f"{self.url}/genesys/login/oauth/token",
            auth=(CLIENT, CLIENT_SECRET),
            data={"grant_type": "client_credentials"},
        )
        self._genesys_token = answer.json()["access_token"]
        return self._genesys_token

    def platform(self, method: str, path: str, token: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self._genesys_token or self.login()}"} | options.pop(
            "headers", {}
        )
        return self.http.request(method, f"{self.url}/genesys/api/api/v2{path}", headers=headers, **options)

    def inject(
        self, call: str, body: dict[str, Any], query: str = "", integration: str = INTEGRATION
    ) -> requests.Response:
        path = f"/conversations/messages/{integration}/inbound/open/{call}{query}"
        return self.platform("POST", path, json=body)

    def inject_text(self, text: str, contact: str = "contact-1", **more: Any) -> requests.Response:
        return self.inject(
            "message", {"channel": channel(contact), "text": text} | more, "?prefetchConversationId=true"
        )

    def write(self, text: str, **more: Any) -> str:
        """A customer writes, which also opens the 24-hour window."""
        return self.control("/phone/messages", {"from": CUSTOMER, "text": text} | more)["id"]

    def phone(self, wa_id: str = CUSTOMER, number: str = NUMBER) -> dict[str, Any]:
        return self.control(f"/phone/{wa_id}/messages?to={number}")

    def desk(self, contact: str = "contact-1") -> list[dict[str, Any]]:
        return self.control(f"/agent/{contact}/messages?integration_id={INTEGRATION}")["messages"]

    def subscribe(self, receiver: "Receiver") -> None:
        self.control(
            "/accounts",
            {
                "whatsapp": {"phone_number_id": NUMBER, "callback_url": f"{receiver.url}/meta"},
                "genesys": {"integration_id": INTEGRATION, "webhook_url": f"{receiver.url}/genesys"},
            },
        )

    def wait_for_status(self, message_id: str, status: str) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            chat = self.phone()
            both = chat["messages"] + chat["undelivered"]
            return next((each for each in both if each["id"] == message_id and each["status"] == status), None)

        found_one = wait_until(found, message=f"{message_id} to be {status}")
        assert found_one is not None
        return found_one


class Receiver:
    """Takes webhooks and answers as `answer` says: a status per request."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], int] = lambda request: 200
        self._server = WSGIServer((HOST, 0), self._serve, log=None)
        self._server.start()
        self.url = f"http://{HOST}:{self._server.server_port}"

    def _serve(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "GET":
            return self._handshake(environ["QUERY_STRING"], start_response)
        raw = environ["wsgi.input"].read()
        request = {
            "path": environ["PATH_INFO"],
            "raw": raw,
            "body": json.loads(raw),
            "signature": environ.get("HTTP_X_HUB_SIGNATURE_256", ""),
            "type": environ.get("CONTENT_TYPE", ""),
        }
        status = self.answer(request)
        self.requests.append(request | {"answered": status})
        start_response(f"{status} As told", [("Content-Length", "0")])
        return [b""]

    def _handshake(self, query: str, start_response: Any) -> list[bytes]:
        fields = dict(parse_qsl(query))
        right = fields.get("hub.verify_token") == VERIFY_TOKEN and fields.get("hub.mode") == "subscribe"
        body = fields.get("hub.challenge", "").encode() if right else b""
        start_response("200 OK" if right else "403 Forbidden", [("Content-Length", str(len(body)))])
        return [body]

    def of(self, path: str) -> list[dict[str, Any]]:
        return [each for each in self.requests if each["path"] == path]

    def wait_for(self, path: str, count: int) -> list[dict[str, Any]]:
        return wait_until(
            lambda: self.of(path) if len(self.of(path)) >= count else [], message=f"{count} webhooks at {path}"
        )

    def close(self) -> None:
        self._server.stop()


def graph_refusal(answer: requests.Response, code: int, status: int = 400) -> dict[str, Any]:
    """Meta's error object, with its code and HTTP status."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert error["type"] == "OAuthException"
    assert error["message"]
    assert error["fbtrace_id"]
    return error


def platform_refusal(answer: requests.Response, status: int, code: str) -> dict[str, Any]:
    """Genesys' ErrorBody, with its code and HTTP status."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (status, code, status), body
    assert body["contextId"] == answer.headers["ININ-Correlation-Id"]
    assert body["message"]
    assert isinstance(body["details"], list)
    assert isinstance(body["errors"], list)
    return body


def channel(contact: str = "contact-1", **more: Any) -> dict[str, Any]:
    return {"from": {"id": contact, "idType": "Opaque", "nickname": "Ada"}, "time": "2026-11-23T15:00:00.000Z"} | more


def items(requests_seen: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """All messages or statuses of many Meta webhooks, in the order of their coming."""
    return [
        item
        for request in requests_seen
        for entry in request["body"]["entry"]
        for change in entry["changes"]
        for item in change["value"].get(kind, [])
    ]


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with sandbox_process({"SANDBOX_PORT": str(port)}, tmp_path_factory.mktemp("sandbox")):
        yield f"http://{HOST}:{port}"


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[Sandbox]:
    """As after a start: one demo number, one integration, nobody subscribed."""
    client = Sandbox(sandbox_url)
    client.control("/reset", {})
    yield client
    client.control("/reset", {})
    restore(client)


def restore(client: Sandbox) -> None:
    for number in client.control("/accounts")["whatsapp"]:
        if number["phone_number_id"] != NUMBER:
            client.control(f"/accounts/whatsapp/{number['phone_number_id']}", method="DELETE")
    for integration in client.control("/accounts")["genesys"]:
        if integration["integration_id"] != INTEGRATION:
            client.control(f"/accounts/genesys/{integration['integration_id']}", method="DELETE")
    # An address that a test had the account's webhooks pointed at would win over the next test's.
    assert client.graph("DELETE", f"{WABA}/subscribed_apps").ok
    client.control(
        "/accounts",
        {
            "whatsapp": {"phone_number_id": NUMBER, "subscribed": False},
            "genesys": {"integration_id": INTEGRATION, "webhook_url": "", "permissions": PERMISSIONS},
        },
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    it = Receiver()
    yield it
    it.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """A page that fails its test when the console or the security policy complains."""
    complaints: list[str] = []
    context = browser_context(browser, viewport={"width": 1300, "height": 850})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(sandbox.url)
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.get_by_label("Message as the customer")).to_be_enabled()
    yield page
    context.close()
    assert complaints == []
