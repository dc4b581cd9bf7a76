"""What each provider's errors mean, by their tables."""

from typing import Any

import orjson
import pytest

from relay.channels.exchange import Answer
from relay.channels.genesys import errors as genesys
from relay.channels.whatsapp import errors as whatsapp


def meta(status: int, code: Any, **more: Any) -> Answer:
    error = {"message": f"(#{code}) text", "type": "OAuthException", "code": code, "fbtrace_id": "Atrace", **more}
    return Answer(status, {}, orjson.dumps({"error": error}))


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (401, 0, "credentials"),
        (400, 1, "retry"),
        (503, 2, "retry"),
        (500, 3, "credentials"),
        (400, 4, "throttled"),
        (403, 10, "credentials"),
        (400, 33, "credentials"),
        (400, 100, "refused"),
        (400, 130429, "throttled"),
        (400, 130472, "refused"),
        (500, 131000, "retry"),
        (403, 131005, "credentials"),
        (400, 131008, "refused"),
        (500, 131016, "retry"),
        (400, 131026, "refused"),
        (400, 131030, "refused"),
        (403, 131031, "credentials"),
        (400, 131042, "credentials"),
        (400, 131047, "refused"),
        (400, 131048, "throttled"),
        (400, 131053, "refused"),
        (500, 131057, "retry"),
        (400, 133010, "credentials"),
        (401, 190, "credentials"),
        (403, 200, "credentials"),
        (403, 299, "credentials"),
        (403, 368, "credentials"),
        (400, 80007, "throttled"),
        (400, 999999, "refused"),
        (500, 999999, "retry"),
        (429, 131026, "refused"),
    ],
)
def test_meta_codes(status: int, code: int, fate: str) -> None:
    error = whatsapp.failure(meta(status, code))
    assert (error.fate, error.code, error.status, error.trace_id) == (fate, str(code), status, "Atrace")
    assert error.scope == "line"


def test_the_pair_limit_concerns_one_contact() -> None:
    error = whatsapp.failure(meta(400, 131056))
    assert (error.fate, error.scope, error.retry_after) == ("throttled", "contact", None)


def test_an_object_the_token_cannot_see_is_a_matter_of_credentials() -> None:
    assert whatsapp.failure(meta(400, 100, error_subcode=33)).fate == "credentials"


def test_metas_own_word_that_it_is_transient() -> None:
    assert whatsapp.failure(meta(400, 777, is_transient=True)).fate == "retry"


def test_metas_details_are_told() -> None:
    error = whatsapp.failure(meta(400, 131009, error_data={"details": "Param text body must be ..."}))
    assert error.text == "(#131009) text: Param text body must be ..."


EDGE = [
    (200, "unknown"),
    (302, "retry"),
    (400, "refused"),
    (401, "retry"),
    (403, "retry"),
    (404, "retry"),
    (408, "unknown"),
    (413, "refused"),
    (429, "throttled"),
    (500, "unknown"),
    (502, "unknown"),
    (503, "unknown"),
    (504, "unknown"),
]


@pytest.mark.parametrize("body", [b"<html>Bad Gateway</html>", b"", b"[]", b'"x"', b'{"error": "text"}'])
@pytest.mark.parametrize(("status", "fate"), EDGE)
def test_without_a_providers_own_body(status: int, fate: str, body: bytes) -> None:
    """Something in between answered: it says nothing of credentials, and a 5xx may hide a sent message."""
    error = whatsapp.failure(Answer(status, {}, body))
    assert (error.fate, error.code) == (fate, f"http_{status}")
    assert genesys.failure(Answer(status, {}, body)).fate == fate


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (400, "bad.request", "refused"),
        (401, "bad.credentials", "credentials"),
        (403, "missing.permissions", "credentials"),
        (404, "not.found", "credentials"),
        (408, "request.timeout", "unknown"),
        (413, "payload.too.large", "refused"),
        (415, "unsupported.media.type", "refused"),
        (429, "too.many.requests.retry.after", "throttled"),
        (500, "internal.server.error", "retry"),
        (502, "bad.gateway", "retry"),
        (503, "service.unavailable", "retry"),
        (504, "authentication.request.timeout", "unknown"),
    ],
)
def test_genesys_codes(status: int, code: str, fate: str) -> None:
    body = orjson.dumps({"message": "text", "code": code, "status": status, "contextId": "ctx"})
    error = genesys.failure(Answer(status, {"retry-after": "7"}, body))
    assert (error.fate, error.code, error.status, error.trace_id) == (fate, code, status, "ctx")
    assert error.retry_after == 7


def test_genesys_correlation_id_is_kept() -> None:
    answer = Answer(400, {"inin-correlation-id": "corr"}, b'{"code": "bad.request", "contextId": "ctx"}')
    assert genesys.failure(answer).trace_id == "corr"


def test_an_unknown_message_in_a_receipt_stops_no_line() -> None:
    answer = Answer(404, {}, b'{"code": "not.found", "message": "no such message"}')
    assert genesys.failure(answer, receipt=True).fate == "refused"


@pytest.mark.parametrize("value", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 30])
def test_a_retry_after_that_is_no_number_is_none(value: str) -> None:
    assert Answer(429, {"retry-after": value}, b"").retry_after is None
