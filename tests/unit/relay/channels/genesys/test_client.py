"""Calls to Genesys against a server that answers like it: tokens, messages, files, checks."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent
import pytest

from relay.channels.base import Account, Expected, Request
from relay.channels.genesys import GenesysChannel, create
from relay.channels.genesys.hosts import Hosts
from relay.channels.genesys.regions import DOMAINS, domain_of
from relay.channels.http.client import HttpTransport
from relay.channels.http.origins import origin_of
from relay.core.errors import SendError
from relay.core.messages import Media
from tests.unit.relay.channels.accounts import GENESYS, PHONE, Tokens
from tests.unit.relay.channels.servers import Served, answer, routes, serving
from tests.waiting import PATIENCE

MESSAGE = Request("POST", "/api/v2/conversations/messages/int/inbound/open/message", {"text": "x"})
RECEIPT = Request("POST", "/api/v2/conversations/messages/int/inbound/open/receipt", {"status": "Delivered"})
TOKEN = "POST /login/oauth/token"
ANY = "POST /api/api/v2/.*"


def soon() -> float:
    return time.monotonic() + PATIENCE


class Login:
    """Gives out token-1, token-2 and so on; with `until`, older ones are refused by `guarded`."""

    def __init__(self, expires_in: Any = 86400) -> None:
        self.given = 0
        self.expires_in = expires_in
        self.oldest_good = 1

    def __call__(self, _: Served, sock: Any, __: Any) -> bool:
        self.given += 1
        gevent.sleep(0)
        token = f"token-{self.given:010}"
        return answer(sock, {"access_token": token, "token_type": "bearer", "expires_in": self.expires_in})

    def guarded(self, data: Any) -> Callable[..., bool]:
        def handle(_: Served, sock: Any, asked: Any) -> bool:
            if int(asked.headers["authorization"].removeprefix("Bearer token-")) >= self.oldest_good:
                return answer(sock, data)
            return answer(sock, {"code": "bad.credentials", "message": "Invalid login", "status": 401}, 401)

        return handle


def made(served: Served, tokens: Tokens | None = None) -> GenesysChannel:
    urls: Any = {"genesys_login_url": served.url + "/login", "genesys_api_url": served.url + "/api"}
    return create(HttpTransport(Tokens() if tokens is None else tokens, **urls, request_seconds=PATIENCE))


def failed(call: Callable[[], Any]) -> SendError:
    with pytest.raises(SendError) as caught:
        call()
    shown = f"{caught.value!r} {caught.value.text}"
    assert PHONE not in shown
    assert "token-0" not in shown
    assert not any(value in shown for name, value in GENESYS.credentials.items() if name != "region")
    return caught.value


def test_send() -> None:
    login = Login()
    with serving(routes({TOKEN: login, ANY: {"id": "7f3c", "conversationId": "33"}})) as served:
        channel = made(served)
        sent = channel.send(replace(MESSAGE, query={"prefetchConversationId": "true"}), GENESYS, soon())
        channel.send(MESSAGE, GENESYS, soon())
    assert (sent.provider_id, sent.status, sent.genesys_conversation_id) == ("7f3c", 200, "33")
    assert login.given == 1
    token, message, _ = served.asked
    assert token.body == b"grant_type=client_credentials"
    assert token.headers["authorization"].startswith("Basic ")
    assert token.headers["content-type"] == "application/x-www-form-urlencoded"
    assert message.path == "/api" + MESSAGE.path + "?prefetchConversationId=true"
    assert message.headers["authorization"] == "Bearer token-0000000001"


def test_a_refused_token_is_replaced_once() -> None:
    login = Login()
    with serving(routes({TOKEN: login, ANY: login.guarded({"id": "7f3c"})})) as served:
        channel = made(served)
        asked: list[int] = []
        channel.send(MESSAGE, GENESYS, soon())
        login.oldest_good = 2
        assert channel.send(MESSAGE, GENESYS, soon(), lambda: asked.append(1)).provider_id == "7f3c"
        assert (login.given, len(asked)) == (2, 2)
        login.oldest_good = 99
        caught = failed(lambda: channel.send(MESSAGE, GENESYS, soon()))
        assert (caught.fate, caught.code, login.given) == ("credentials", "bad.credentials", 3)


@pytest.mark.parametrize("answer", [(202, b""), (204, b""), (200, {"ok": True})], ids=str)
def test_any_success_is_one_even_without_an_id(answer: Any) -> None:
    with serving(routes({TOKEN: Login(), ANY: answer})) as served:
        assert made(served).send(MESSAGE, GENESYS, soon()).provider_id == ""


def test_a_401_without_a_reason_is_tried_once_with_a_new_token_and_is_no_refusal() -> None:
    login = Login()
    with serving(routes({TOKEN: login, ANY: (401, b"<html>proxy")})) as served:
        caught = failed(lambda: made(served).send(MESSAGE, GENESYS, soon()))
    assert (caught.fate, login.given) == ("retry", 2)


def test_one_fetch_for_many_calls_at_once() -> None:
    login = Login()
    with serving(routes({TOKEN: login, ANY: {"id": "7f3c"}})) as served:
        channel = made(served)
        calls = [gevent.spawn(channel.send, MESSAGE, GENESYS, soon()) for _ in range(10)]
        gevent.joinall(calls, raise_error=True)
    assert login.given == 1


def test_tokens_are_shared_between_processes_but_not_between_tenants_or_secrets() -> None:
    login, tokens = Login(), Tokens()
    other = replace(GENESYS, tenant_id="tenant-2")
    renewed = replace(GENESYS, credentials={**GENESYS.credentials, "client_secret": "another"})
    with serving(routes({TOKEN: login, ANY: {"id": "7f3c"}})) as served:
        for account in (GENESYS, GENESYS, other, renewed):
            made(served, tokens).send(MESSAGE, account, soon())
    assert login.given == 3
    assert all(key.split(":")[2] in ("tenant-1", "tenant-2") for key in tokens)
    assert not any(value in key for key in tokens for value in GENESYS.credentials.values())


def test_a_token_that_somebody_has_replaced_is_not_dropped() -> None:
    login, tokens = Login(), Tokens()
    with serving(routes({TOKEN: login, ANY: login.guarded({"id": "7f3c"})})) as served:
        channel = made(served, tokens)
        channel.send(MESSAGE, GENESYS, soon())
        login.oldest_good = 2
        (key,) = tokens
        login.given = 2
        tokens[key] = "4000000000 token-0000000002"
        channel.send(MESSAGE, GENESYS, soon())
    assert login.given == 2


@pytest.mark.parametrize(
    ("life", "useful"), [(86400, 86100), (900, 600), (300, 150), (None, 300), ("x", 300), (0, 300)]
)
def test_how_long_a_token_is_used(life: Any, useful: float) -> None:
    tokens = Tokens()
    with serving(routes({TOKEN: Login(life), ANY: {"id": "7f3c"}})) as served:
        made(served, tokens).send(MESSAGE, GENESYS, soon())
    assert list(tokens.seconds.values()) == [useful]


@pytest.mark.parametrize(
    ("given", "fate", "code"),
    [
        ((401, {"error": "invalid_client", "description": "client not found"}), "credentials", "invalid_client"),
        ((400, {"error": "invalid_client", "error_description": "no"}), "credentials", "invalid_client"),
        ((400, {"error": "unauthorized_client"}), "credentials", "unauthorized_client"),
        ((401, b"<html>proxy"), "retry", "http_401"),
        ((404, b"not here"), "retry", "http_404"),
        ((429, {"code": "too.many.requests"}), "throttled", "too.many.requests"),
        ((500, {"error": "server_error"}), "retry", "server_error"),
        ((503, b""), "retry", "http_503"),
        ((200, {"no": "token"}), "retry", "http_200"),
        (lambda *_: False, "retry", "bad_answer"),
    ],
)
def test_no_token(given: Any, fate: str, code: str) -> None:
    """Only Genesys' own word about the client is a refusal; nothing was sent, so nothing is unknown."""
    with serving(routes({TOKEN: given})) as served:
        caught = failed(lambda: made(served).send(MESSAGE, GENESYS, soon()))
    assert (caught.fate, caught.code) == (fate, code)
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("given", "fate", "code"),
    [
        ((400, {"code": "bad.request", "message": f"number {PHONE}"}), "refused", "bad.request"),
        ((403, {"code": "missing.permissions"}), "credentials", "missing.permissions"),
        ((404, {"code": "not.found"}), "credentials", "not.found"),
        ((504, {"code": "authentication.request.timeout"}), "unknown", "authentication.request.timeout"),
        ((200, b"<html>"), "unknown", "http_200"),
        (
            (200, {"status": "Failed", "id": "1", "reasons": [{"code": "MessageNotAllowed"}]}),
            "refused",
            "MessageNotAllowed",
        ),
        (lambda *_: False, "unknown", "bad_answer"),
    ],
)
def test_send_failed(given: Any, fate: str, code: str) -> None:
    with serving(routes({TOKEN: Login(), ANY: given})) as served:
        caught = failed(lambda: made(served).send(MESSAGE, GENESYS, soon()))
    assert (caught.fate, caught.code) == (fate, code)
    assert len(served.asked) == 2


FILE = {
    "content": [{"contentType": "Attachment", "attachment": {"mediaType": "File", "url": "https://x", "mime": "a/b"}}]
}
NO_FILE: list[tuple[Any, dict[str, Any], str]] = [
    ((200, {"status": "Failed", "reasons": [{"code": "MediaTypeNotAllowed"}]}), FILE, "as_link"),
    ((200, {"status": "Failed", "reasons": [{"code": "InvalidMediaContentLength"}]}), FILE, "as_link"),
    ((413, {"code": "request.entity.too.large", "message": "too large"}), FILE, "refused"),
    ((413, b""), FILE, "as_link"),
    ((415, b""), FILE, "as_link"),
    ((200, {"status": "Failed", "reasons": [{"code": "DataFiltered"}]}), FILE, "refused"),
    ((400, {"code": "bad.request", "message": "mime"}), FILE, "refused"),
    ((200, {"status": "Failed", "reasons": [{"code": "MediaTypeNotAllowed"}]}), {"text": "hello"}, "refused"),
]


@pytest.mark.parametrize(("given", "body", "fate"), NO_FILE)
def test_a_file_that_genesys_does_not_let_through_may_go_as_a_link(given: Any, body: dict[str, Any], fate: str) -> None:
    with serving(routes({TOKEN: Login(), ANY: given})) as served:
        caught = failed(lambda: made(served).send(Request("POST", MESSAGE.path, body), GENESYS, soon()))
    assert caught.fate == fate


def test_throttled() -> None:
    def limited(_: Served, sock: Any, __: Any) -> bool:
        return answer(sock, {"code": "too.many.requests.retry.after", "message": "wait"}, 429, Retry_After="17")

    with serving(routes({TOKEN: Login(), ANY: limited})) as served:
        caught = failed(lambda: made(served).send(MESSAGE, GENESYS, soon()))
    assert (caught.fate, caught.retry_after) == ("throttled", 17)


def test_receipts() -> None:
    """They may be answered with nothing, with themselves, or with a failure inside a 200."""
    failed_body = {"id": "7f3c", "status": "Failed", "reasons": [{"code": "UnknownMessage", "message": "which?"}]}
    told = Request("POST", RECEIPT.path, {"status": "Failed"})
    for request, given in ((RECEIPT, (202, b"")), (RECEIPT, {"id": "7f3c"}), (told, failed_body)):
        with serving(routes({TOKEN: Login(), ANY: given})) as served:
            made(served).send(request, GENESYS, soon())
    with serving(routes({TOKEN: Login(), ANY: failed_body})) as served:
        caught = failed(lambda: made(served).send(RECEIPT, GENESYS, soon()))
    assert (caught.fate, caught.code, caught.text) == ("refused", "UnknownMessage", "which?")


def test_a_page_in_the_place_of_an_answer_is_no_word_that_a_receipt_was_taken() -> None:
    with serving(routes({TOKEN: Login(), ANY: (200, b"<html>It works!</html>")})) as served:
        caught = failed(lambda: made(served).send(RECEIPT, GENESYS, soon()))
    assert (caught.fate, caught.code) == ("unknown", "http_200")


def file(served: Served, path: str = "/api/api/v2/downloads/x") -> Media:
    return Media("document", "", source_url=served.url + path)


def fetch(served: Served, media: Media) -> tuple[Any, bytes]:
    with made(served).fetch(media, GENESYS, soon()) as download:
        return download, b"".join(download.chunks)


def test_a_file_is_fetched_without_a_token_first() -> None:
    def given(_: Served, sock: Any, __: Any) -> bool:
        return answer(sock, b"%PDF", Content_Disposition='attachment; filename="../offer.pdf"')

    with serving(routes({"GET .*": given})) as served:
        download, content = fetch(served, file(served))
    assert content == b"%PDF"
    assert (download.filename, download.size) == ("offer.pdf", 4)
    assert "authorization" not in served.asked[0].headers


@pytest.mark.parametrize("status", [401, 403])
def test_a_file_is_fetched_with_the_token_where_that_is_asked_for(status: int) -> None:
    def given(_: Served, sock: Any, asked: Any) -> bool:
        return answer(sock, b"%PDF", 200 if "authorization" in asked.headers else status)

    with serving(routes({TOKEN: Login(), "GET .*": given})) as served:
        assert fetch(served, file(served))[1] == b"%PDF"


@pytest.mark.parametrize(("status", "fate"), [(404, "refused"), (403, "refused"), (500, "retry"), (429, "throttled")])
def test_a_file_that_cannot_be_had(status: int, fate: str) -> None:
    with serving(routes({TOKEN: Login(), "GET .*": (status, b"")})) as served:
        assert failed(lambda: fetch(served, file(served))).fate == fate


def test_a_file_in_a_private_place_is_not_fetched() -> None:
    with serving(routes({})) as served, serving(routes({})) as private:
        assert failed(lambda: fetch(served, file(private))).code == "url_refused"
        secure = Media("image", source_url=private.url.replace("http:", "https:"))
        assert failed(lambda: fetch(served, secure)).code == "url_refused"
        secure = Media("image", source_url="https://127.0.0.1/a.jpg")
        assert failed(lambda: fetch(served, secure)).code == "address_refused"
        assert private.connections == 0


INTEGRATION = "GET .*/integrations/open/.*"
CONTENT = "GET .*/supportedcontent/.*"
ALLOW = {"mediaTypes": {"allow": {"inbound": [{"type": "*/*"}], "outbound": [{"type": "*/*"}]}}}
HERE = "https://relay.example/webhook/genesys/key"
COMPLETE = {
    "id": GENESYS.line_ref,
    "status": "Active",
    "createStatus": "Completed",
    "supportedContent": {"id": "sc"},
    "outboundNotificationWebhookUrl": HERE,
    "outboundNotificationWebhookSignatureSecretToken": GENESYS.credentials["webhook_secret"],
}
RECEIVE = "POST .*/inbound/open/message"
HISTORY = "GET .*/messages/0+/details"
NAMED = {"code": "missing.permissions", "message": "You are missing: conversation:message:receive"}
GOOD: dict[str, Any] = {
    TOKEN: Login(),
    INTEGRATION: COMPLETE,
    CONTENT: ALLOW,
    HISTORY: (404, {"code": "not.found", "message": "No message found"}),
    RECEIVE: (400, {"code": "bad.request", "message": "channel: missing"}),
}


def levels(table: dict[str, Any], account: Account = GENESYS) -> dict[str, str]:
    order = ("ok", "warning", "refused")
    found: dict[str, str] = {}
    with serving(routes({**GOOD, **table})) as served:
        for finding in made(served).check(account, soon(), Expected((HERE,), thorough=True)):
            said = finding.text + finding.advice
            assert not any(value in said for name, value in account.credentials.items() if name.endswith("secret"))
            assert finding.level == "ok" or finding.advice
            found[finding.check] = max(found.get(finding.check, "ok"), finding.level, key=order.index)
    return found


def test_a_good_line() -> None:
    files = ("inbound_files", "outbound_files")
    checks = ("token", "integration", "webhook", "webhook_secret", *files, "history", "receive")
    assert levels({}) == dict.fromkeys(checks, "ok")


def test_a_check_that_is_not_thorough_posts_nothing() -> None:
    with serving(routes(GOOD)) as served:
        made(served).check(GENESYS, soon())
        assert [asked.path for asked in served.asked if asked.line.startswith("POST")] == ["/login/oauth/token"]


def test_missing_permissions_are_named() -> None:
    with serving(routes({**GOOD, INTEGRATION: (403, {"code": "missing.permissions"}), RECEIVE: (403, NAMED)})) as it:
        found = {one.check: one for one in made(it).check(GENESYS, soon(), Expected(thorough=True))}
    assert "messaging:integration:view" in found["integration"].text
    assert "conversation:message:receive" in found["receive"].text
    assert "Roles" in found["receive"].advice


@pytest.mark.parametrize(
    ("table", "check", "level"),
    [
        ({TOKEN: (401, {"error": "invalid_client"})}, "token", "refused"),
        ({TOKEN: (503, b"")}, "token", "warning"),
        ({TOKEN: lambda *_: False}, "token", "warning"),
        ({INTEGRATION: (404, {"code": "not.found", "message": "no"})}, "integration", "refused"),
        ({INTEGRATION: (404, b"nothing here")}, "integration", "warning"),
        ({INTEGRATION: (403, {"code": "missing.permissions"})}, "integration", "warning"),
        ({INTEGRATION: (200, {})}, "integration", "warning"),
        ({INTEGRATION: {**COMPLETE, "id": "another"}}, "integration", "warning"),
        ({INTEGRATION: (500, {"code": "internal.server.error"})}, "integration", "warning"),
        ({INTEGRATION: lambda *_: False}, "integration", "warning"),
        ({INTEGRATION: {**COMPLETE, "createStatus": "Error"}}, "integration", "warning"),
        (
            {INTEGRATION: {**COMPLETE, "outboundNotificationWebhookSignatureSecretToken": "another-secret-é"}},
            "webhook_secret",
            "warning",
        ),
        ({CONTENT: (404, {"code": "not.found"})}, "content", "warning"),
        ({HISTORY: (403, {"code": "missing.permissions"})}, "history", "warning"),
        ({HISTORY: (404, b"nothing here")}, "history", "warning"),
        ({HISTORY: (400, {"code": "invalid.value"})}, "history", "ok"),
        ({CONTENT: (403, {"code": "missing.permissions"})}, "permissions", "warning"),
        ({CONTENT: {"mediaTypes": {"allow": {"inbound": [{"type": "image/*"}]}}}}, "inbound_files", "warning"),
        ({CONTENT: {"mediaTypes": {"allow": {"inbound": [{"type": "*/*"}]}}}}, "outbound_files", "warning"),
        ({INTEGRATION: {**COMPLETE, "status": "Inactive"}}, "integration", "warning"),
        ({INTEGRATION: {**COMPLETE, "outboundNotificationWebhookUrl": "https://x/?k=1"}}, "webhook", "warning"),
        ({RECEIVE: (403, NAMED)}, "receive", "refused"),
        ({RECEIVE: (403, b"<html>")}, "receive", "warning"),
        ({RECEIVE: (500, {"code": "internal.server.error"})}, "receive", "warning"),
    ],
)
def test_only_an_explicit_no_refuses_a_line(table: dict[str, Any], check: str, level: str) -> None:
    found = levels(table)
    assert found[check] == level
    assert {name for name, it in found.items() if it == "refused"} <= {check}


def test_a_masked_secret_is_not_compared() -> None:
    masked = {INTEGRATION: {"outboundNotificationWebhookSignatureSecretToken": "*****"}}
    assert "webhook_secret" not in levels(masked)


@pytest.mark.parametrize(
    "region",
    ["mypurecloud.de", "eu-central-1", " EU-CENTRAL-1 ", "login.mypurecloud.de", "https://login.mypurecloud.de/"],
)
def test_regions(region: str) -> None:
    assert domain_of(region) == "mypurecloud.de"


def test_there_are_eighteen_regions() -> None:
    assert len(set(DOMAINS.values())) == 18


@pytest.mark.parametrize("region", ["", "example.org", "mypurecloud.de.evil.org", "evil.org/mypurecloud.de", "eu"])
def test_no_other_host_can_be_named(region: str) -> None:
    with pytest.raises(ValueError, match="region"):
        domain_of(region)
    channel = create(HttpTransport(Tokens()))
    account = replace(GENESYS, credentials={**GENESYS.credentials, "region": region})
    caught = failed(lambda: channel.send(MESSAGE, account, soon()))
    assert (caught.fate, caught.code) == ("credentials", "unknown_region")


def test_tokens_are_shown_in_their_own_region_only() -> None:
    hosts = Hosts(HttpTransport(Tokens()))
    trust = hosts.trust(GENESYS)
    assert hosts.login(GENESYS) == "https://login.mypurecloud.de"
    assert trust.takes_bearer(origin_of("https://api-downloads.mypurecloud.de/api/v2/downloads/x"))
    for other in ("login.mypurecloud.de", "api.mypurecloud.ie", "evil.mypurecloud.de", "graph.facebook.com"):
        assert not trust.takes_bearer(origin_of(f"https://{other}/"))
