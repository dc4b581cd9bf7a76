"""Calls to the Graph API against a server that answers like it."""

import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest

from relay.channels.base import Expected, Request
from relay.channels.http.client import HttpTransport
from relay.channels.whatsapp import WhatsAppChannel, create
from relay.core.errors import SendError
from relay.core.messages import Media
from tests.unit.relay.channels.accounts import BSUID, PHONE, WHATSAPP, Tokens
from tests.unit.relay.channels.servers import Served, answer, routes, serving
from tests.waiting import PATIENCE

MEDIA = Media("image", "image/jpeg", source_id="9001", filename="tent.jpg")
NUMBER = "300000000000001"
WABA = "200000000000001"
BEARER = "Bearer EAAG-test-token-0123456789"
REQUEST = Request("POST", f"/{NUMBER}/messages", {"to": f"+{PHONE}", "type": "text", "text": {"body": "x"}})


def error(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) for +{PHONE}", "code": code, "fbtrace_id": "A1", **more}}


def channel(served: Served) -> WhatsAppChannel:
    return create(HttpTransport(Tokens(), graph_url=served.url + "/graph", request_seconds=PATIENCE))


def soon() -> float:
    return time.monotonic() + PATIENCE


def failed(call: Callable[[], Any]) -> SendError:
    with pytest.raises(SendError) as caught:
        call()
    shown = f"{caught.value!r} {caught.value.text}"
    assert PHONE not in shown
    assert not any(secret in shown for secret in WHATSAPP.credentials.values())
    return caught.value


def test_send() -> None:
    taken = {"contacts": [{"input": PHONE, "wa_id": PHONE, "user_id": BSUID}], "messages": [{"id": "wamid.out"}]}
    with serving(routes({"POST /graph/v25.0/300000000000001/messages": taken})) as served:
        sent = channel(served).send(REQUEST, WHATSAPP, soon())
    assert (sent.provider_id, sent.status, sent.aliases) == ("wamid.out", 200, (PHONE, BSUID))
    (asked,) = served.asked
    assert asked.headers["authorization"] == BEARER
    assert asked.json == REQUEST.body


def test_a_success_without_an_id_is_one_because_its_statuses_bear_ours() -> None:
    with serving(routes({"POST /graph/v25.0/300000000000001/messages": {"success": True}})) as served:
        assert channel(served).send(REQUEST, WHATSAPP, soon()).provider_id == ""


@pytest.mark.parametrize(
    ("given", "fate", "code"),
    [
        ((400, error(131047)), "refused", "131047"),
        ((401, error(190)), "credentials", "190"),
        ((503, error(2)), "retry", "2"),
        ((400, error(131056)), "throttled", "131056"),
        ((502, b"<html>"), "unknown", "http_502"),
        ((200, b"<html>"), "unknown", "http_200"),
        ((200, error(131000)), "retry", "131000"),
    ],
)
def test_send_failed(given: Any, fate: str, code: str) -> None:
    with serving(routes({".*": given})) as served:
        caught = failed(lambda: channel(served).send(REQUEST, WHATSAPP, soon()))
    assert (caught.fate, caught.code) == (fate, code)
    assert len(served.asked) == 1


def test_no_token_is_a_matter_of_credentials() -> None:
    with serving(routes({})) as served:
        caught = failed(lambda: channel(served).send(REQUEST, replace(WHATSAPP, credentials={}), soon()))
    assert (caught.fate, served.asked) == ("credentials", [])


class Files:
    """A media object and its file; the first `failing` downloads are answered with `status`."""

    def __init__(self, failing: int = 0, status: int = 404) -> None:
        self.failing = failing
        self.status = status
        self.resolved = 0

    def object(self, served: Served, sock: Any, _: Any) -> bool:
        self.resolved += 1
        found = {"url": f"{served.url}/file/{self.resolved}", "mime_type": "image/jpeg", "file_size": 4}
        return answer(sock, found)

    def file(self, _: Served, sock: Any, __: Any) -> bool:
        self.failing -= 1
        return answer(sock, b"JPEG", self.status if self.failing >= 0 else 200, Content_Disposition="inline")

    def table(self) -> dict[str, Any]:
        return {"GET /graph/v25.0/9001": self.object, "GET /file/.*": self.file}


def fetch(served: Served) -> tuple[Any, bytes]:
    with channel(served).fetch(MEDIA, WHATSAPP, soon()) as download:
        return download, b"".join(download.chunks)


def test_fetch() -> None:
    with serving(routes(Files().table())) as served:
        download, content = fetch(served)
    assert content == b"JPEG"
    assert (download.mime_type, download.size, download.filename) == ("image/jpeg", 4, "tent.jpg")
    assert [asked.headers["authorization"] for asked in served.asked] == [BEARER, BEARER]
    assert served.asked[0].path == f"/graph/v25.0/9001?phone_number_id={NUMBER}"


@pytest.mark.parametrize("status", [401, 404])
def test_an_expired_address_is_asked_for_anew_once(status: int) -> None:
    files = Files(failing=1, status=status)
    with serving(routes(files.table())) as served:
        assert fetch(served)[1] == b"JPEG"
    assert files.resolved == 2


@pytest.mark.parametrize(
    ("files", "fate", "code"),
    [
        (Files(2, 404), "refused", "media_not_found"),
        (Files(2, 401), "retry", "media_unavailable"),
        (Files(1, 503), "retry", "media_unavailable"),
        (Files(1, 429), "throttled", "media_unavailable"),
        (Files(1, 416), "refused", "media_unavailable"),
    ],
)
def test_a_file_that_cannot_be_had(files: Files, fate: str, code: str) -> None:
    with serving(routes(files.table())) as served:
        caught = failed(lambda: fetch(served))
    assert (caught.fate, caught.code) == (fate, code)
    assert files.resolved <= 2


@pytest.mark.parametrize(
    ("given", "fate", "code"),
    [
        ((400, error(100, error_subcode=33)), "refused", "media_not_found"),
        ((401, error(190)), "credentials", "190"),
        ((500, error(131000)), "retry", "131000"),
        ((502, b"<html>"), "retry", "http_502"),
        ((200, {"no": "url"}), "retry", "http_200"),
    ],
)
def test_a_media_object_that_cannot_be_had(given: Any, fate: str, code: str) -> None:
    with serving(routes({".*": given})) as served:
        caught = failed(lambda: fetch(served))
    assert (caught.fate, caught.code) == (fate, code)


def test_upload() -> None:
    with serving(routes({"POST /graph/v25.0/300000000000001/media": {"id": 9002}})) as served:
        media = Media("audio", "audio/ogg; codecs=opus", filename="voice.ogg")
        assert channel(served).upload(BytesIO(b"OggS"), media, WHATSAPP, soon()) == "9002"
    (asked,) = served.asked
    assert b'name="messaging_product"\r\n\r\nwhatsapp\r\n' in asked.body
    assert b'filename="voice.ogg"\r\nContent-Type: audio/ogg; codecs=opus\r\n\r\nOggS\r\n' in asked.body


@pytest.mark.parametrize(
    ("given", "fate"), [((400, error(100)), "refused"), ((502, b"<html>"), "retry"), ((200, {}), "retry")]
)
def test_upload_failed(given: Any, fate: str) -> None:
    """An upload may be repeated freely, so nothing about it is unknown."""
    with serving(routes({".*": given})) as served:
        caught = failed(lambda: channel(served).upload(BytesIO(b"x"), MEDIA, WHATSAPP, soon()))
    assert caught.fate == fate


HERE = "https://relay.example/webhook/meta"
CONFIGURED = {"application": "https://elsewhere.example/", "whatsapp_business_account": HERE}
GOOD: dict[str, Any] = {
    f"GET /graph/v25.0/{NUMBER}": {"id": NUMBER, "quality_rating": "GREEN", "webhook_configuration": CONFIGURED},
    f"GET /graph/v25.0/{WABA}/phone_numbers": {"data": [{"id": NUMBER}]},
    f"GET /graph/v25.0/{WABA}/subscribed_apps": {"data": [{"whatsapp_business_api_data": {"id": "1"}}]},
    "GET /graph/v25.0/debug_token": {"data": {"is_valid": True, "expires_at": 0, "app_id": "1"}},
}
BOTH = ["whatsapp_business_messaging", "whatsapp_business_management"]


def inspected(**more: Any) -> dict[str, Any]:
    return {"data": {"is_valid": True, "expires_at": 0, "app_id": "1", **more}}


def as_app(given: Any) -> Any:
    """What debug_token answers to the app's own token; to the access token it answers as it should."""

    def handle(_: Served, sock: Any, asked: Any) -> bool:
        status, data = (200, inspected()) if "|" not in asked.headers["authorization"] else given
        return answer(sock, data, status)

    return handle


def numbered(**more: Any) -> dict[str, Any]:
    return {"id": NUMBER, "quality_rating": "GREEN", "webhook_configuration": CONFIGURED, **more}


def levels(table: dict[str, Any]) -> dict[str, str]:
    """The worst level of each check."""
    order = ("ok", "warning", "refused")
    found: dict[str, str] = {}
    with serving(routes({**table, **GOOD})) as served:
        for finding in channel(served).check(WHATSAPP, soon(), Expected((HERE,))):
            said = finding.text + finding.advice
            assert not any(secret in said for name, secret in WHATSAPP.credentials.items() if not name.endswith("_id"))
            assert PHONE not in said
            assert finding.level == "ok" or finding.advice
            found[finding.check] = max(found.get(finding.check, "ok"), finding.level, key=order.index)
    return found


def test_a_good_line() -> None:
    checks = ("token", "token_life", "number", "ownership", "subscription", "webhook", "app_secret", "quality")
    assert levels({}) == dict.fromkeys(checks, "ok")


@pytest.mark.parametrize(
    ("table", "check", "level"),
    [
        ({f"GET .*/{NUMBER}": (401, error(190))}, "token", "refused"),
        ({f"GET .*/{NUMBER}": (401, error(0))}, "token", "refused"),
        ({f"GET .*/{NUMBER}": (400, error(100, error_subcode=33))}, "number", "refused"),
        ({f"GET .*/{NUMBER}": (400, error(100))}, "number", "warning"),
        ({f"GET .*/{NUMBER}": (403, error(200))}, "number", "warning"),
        ({f"GET .*/{NUMBER}": (404, b"<html>")}, "number", "warning"),
        ({f"GET .*/{NUMBER}": (500, error(1))}, "number", "warning"),
        ({f"GET .*/{NUMBER}": (400, error(4))}, "number", "warning"),
        ({f"GET .*/{NUMBER}": {}}, "number", "warning"),
        ({f"GET .*/{NUMBER}": numbered(id="another")}, "number", "warning"),
        ({f"GET .*/{NUMBER}": lambda *_: False}, "number", "warning"),
        ({"GET .*/phone_numbers": {"data": [{"id": "other"}]}}, "ownership", "refused"),
        ({"GET .*/phone_numbers": {"data": []}}, "ownership", "refused"),
        ({"GET .*/phone_numbers": {"data": "odd"}}, "ownership", "warning"),
        ({"GET .*/phone_numbers": (400, error(100, error_subcode=33))}, "ownership", "refused"),
        ({"GET .*/phone_numbers": (400, error(80007))}, "ownership", "warning"),
        ({"GET .*/phone_numbers": (404, b"nothing")}, "ownership", "warning"),
        ({"GET .*/subscribed_apps": {"data": []}}, "subscription", "warning"),
        ({"GET .*/subscribed_apps": (403, error(200))}, "subscription", "warning"),
        ({"GET .*/debug_token": {"data": {"is_valid": False}}}, "token", "refused"),
        ({"GET .*/debug_token": inspected(expires_at=4000000000)}, "token_life", "warning"),
        ({"GET .*/debug_token": inspected(data_access_expires_at=4000000000)}, "token_life", "warning"),
        ({"GET .*/debug_token": inspected(expires_at=1)}, "token_life", "refused"),
        ({"GET .*/debug_token": inspected(data_access_expires_at=1)}, "token_life", "refused"),
        ({"GET .*/debug_token": (400, error(100))}, "token_life", "warning"),
        ({"GET .*/debug_token": {}}, "token_life", "warning"),
        ({"GET .*/debug_token": (401, error(190))}, "token_life", "warning"),
        ({"GET .*/debug_token": inspected(scopes=BOTH)}, "scopes", "ok"),
        ({"GET .*/debug_token": inspected(scopes=BOTH[1:])}, "scopes", "refused"),
        ({"GET .*/debug_token": inspected(scopes=BOTH[:1])}, "scopes", "warning"),
        (
            {
                "GET .*/debug_token": inspected(
                    scopes=BOTH, granular_scopes=[{"scope": BOTH[0], "target_ids": ["another"]}]
                )
            },
            "scopes",
            "warning",
        ),
        ({"GET .*/debug_token": as_app((401, error(190)))}, "app_secret", "refused"),
        ({"GET .*/debug_token": as_app((500, error(1)))}, "app_secret", "warning"),
        ({"GET .*/debug_token": as_app((400, error(100)))}, "app_secret", "warning"),
        ({"GET .*/debug_token": as_app((502, b"<html>"))}, "app_secret", "warning"),
        ({"GET .*/debug_token": inspected(app_id="2")}, "subscription", "warning"),
        ({f"GET .*/{NUMBER}": numbered(webhook_configuration={})}, "webhook", "warning"),
        ({f"GET .*/{NUMBER}": numbered(webhook_configuration={"phone_number": "https://x/"})}, "webhook", "warning"),
        (
            {f"GET .*/{NUMBER}": numbered(webhook_configuration={**CONFIGURED, "phone_number": "https://x/"})},
            "webhook",
            "warning",
        ),
        ({f"GET .*/{NUMBER}": numbered(quality_rating="RED")}, "quality", "warning"),
        ({f"GET .*/{NUMBER}": numbered(health_status={"can_send_message": "BLOCKED"})}, "quality", "warning"),
    ],
)
def test_only_an_explicit_no_refuses_a_line(table: dict[str, Any], check: str, level: str) -> None:
    found = levels(table)
    assert found[check] == level
    assert {name for name, it in found.items() if it == "refused"} <= {check}


def test_a_long_list_of_numbers_is_read_to_its_end() -> None:
    def page(_: Served, sock: Any, asked: Any) -> bool:
        last = "after=c2" in asked.path
        more = {} if last else {"paging": {"cursors": {"after": "c2"}, "next": "https://graph.facebook.com/..."}}
        return answer(sock, {"data": [{"id": NUMBER if last else "other"}], **more})

    assert levels({"GET .*/phone_numbers": page})["ownership"] == "ok"


def test_a_list_without_end_is_no_refusal() -> None:
    page = {"data": [{"id": "other"}], "paging": {"cursors": {"after": "c"}, "next": "https://graph..."}}
    assert levels({"GET .*/phone_numbers": page})["ownership"] == "warning"


def test_the_stored_token_is_looked_up_once_a_day() -> None:
    tokens = Tokens()
    with serving(routes(GOOD)) as served:
        for _ in range(3):
            shared = create(HttpTransport(tokens, graph_url=served.url + "/graph", request_seconds=PATIENCE))
            found = shared.token(WHATSAPP, soon())
            assert (found.value, found.expires_at) == (WHATSAPP.credentials["access_token"], None)
        assert len(served.asked) == 1
    assert list(tokens.seconds.values()) == [86_400]
    assert not any(WHATSAPP.credentials["access_token"] in text for text in (*tokens, *tokens.values(), repr(found)))


def test_a_token_that_ends_soon_is_not_remembered_for_longer() -> None:
    tokens, ends = Tokens(), int(time.time()) + 600
    with serving(routes({"GET .*": inspected(expires_at=ends)})) as served:
        shared = create(HttpTransport(tokens, graph_url=served.url + "/graph", request_seconds=PATIENCE))
        assert [shared.token(WHATSAPP, soon()).expires_at for _ in range(2)] == [ends, ends]
    assert max(tokens.seconds.values()) <= 600


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ((401, error(190)), True),
        (inspected(is_valid=False), True),
        (inspected(expires_at=1), True),
        ((400, error(100)), False),
        ((500, error(1)), False),
        ((404, b"<html>"), False),
    ],
)
def test_a_token_is_refused_on_metas_word_only(given: Any, refused: bool) -> None:
    with serving(routes({"GET .*": given})) as served:
        if refused:
            assert failed(lambda: channel(served).token(WHATSAPP, soon())).fate == "credentials"
        else:
            assert channel(served).token(WHATSAPP, soon()).value == WHATSAPP.credentials["access_token"]
