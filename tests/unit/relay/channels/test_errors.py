"""What each provider's errors mean, by their tables."""

import itertools
from typing import Any

import orjson
import pytest

from relay.channels.genesys import errors as genesys
from relay.channels.genesys.reasons import cause as genesys_cause
from relay.channels.http.exchange import HttpResponse
from relay.channels.whatsapp import errors as whatsapp
from relay.channels.whatsapp.inbound.parse import parse
from relay.core.messages import Receipt


def meta(status: int, code: Any, **more: Any) -> HttpResponse:
    error = {"message": f"(#{code}) text", "type": "OAuthException", "code": code, "fbtrace_id": "Atrace", **more}
    return HttpResponse(status, {}, orjson.dumps({"error": error}))


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
        (400, 131053, "as_link"),
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
        (400, 132001, "refused"),
        (400, 132068, "refused"),
        (503, 133004, "retry"),
        (400, 133016, "throttled"),
        (400, 131208, "refused"),
    ],
)
def test_meta_codes(status: int, code: int, fate: str) -> None:
    error = whatsapp.failure(meta(status, code))
    assert (error.fate, error.code, error.status, error.trace_id) == (fate, str(code), status, "Atrace")
    assert error.scope == "line"


@pytest.mark.parametrize(
    ("code", "fate", "cause"),
    [
        ("131047", "refused", "window_closed"),
        ("131000", "retry", "server"),
        ("131016", "retry", "server"),
        ("131057", "retry", "server"),
        ("133004", "retry", "server"),
        ("130429", "throttled", "rate"),
        ("131056", "throttled", "rate"),
        # Limits of hours: the same a few seconds later.
        ("131048", "refused", "rate"),
        ("131064", "refused", "rate"),
        ("80007", "refused", "rate"),
        ("130403", "refused", "recipient"),
        ("131061", "refused", "not_allowed"),
        ("131062", "refused", "recipient"),
        ("131063", "refused", "not_allowed"),
        ("131065", "refused", "not_allowed"),
        ("138038", "refused", "not_allowed"),
        ("139200", "refused", "general"),  # in no description of Meta's
        ("2494191", "refused", "not_allowed"),
        ("131026", "refused", "recipient"),
        ("131049", "refused", "not_allowed"),
        ("131050", "refused", "opted_out"),
        ("131070", "refused", "elsewhere"),
        ("131051", "refused", "unsupported"),
        ("131053", "as_link", "media_type"),
        ("100", "refused", "invalid"),
        ("131042", "credentials", "credentials"),
        ("131031", "credentials", "credentials"),
        ("368", "credentials", "credentials"),
        ("250", "credentials", "credentials"),
        ("300", "refused", "general"),
        ("999999", "refused", "general"),
        ("-1", "refused", "general"),
        ("\u0663", "refused", "general"),
        ("9" * 100_000, "refused", "general"),
        ("", "refused", "general"),
        (None, "refused", "general"),
    ],
)
def test_what_a_code_means_in_a_status(code: str | None, fate: str, cause: str) -> None:
    assert (whatsapp.fate_of(code), whatsapp.cause(code)) == (fate, cause)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("window_closed", "window_closed"),
        ("too_large", "media_size"),
        ("http_429", "rate"),
        ("http_503", "server"),
        ("timeout", "server"),
        ("no_address", "recipient"),
    ],
)
def test_our_own_codes_have_causes_on_both_sides(code: str, cause: str) -> None:
    assert whatsapp.cause(code) == cause
    assert genesys_cause(code) == cause


def test_no_code_stands_in_the_table_twice() -> None:
    spans = [(codes, codes + 1) if isinstance(codes, int) else (codes.start, codes.stop) for codes, _ in whatsapp.TABLE]
    assert all(ends <= begins for (_, ends), (begins, _) in itertools.pairwise(spans))


@pytest.mark.parametrize("code", [130403, 131061, 131062, 131063, 131064, 131065, 131070, 138038, 2494191])
def test_what_to_do_is_told_where_metas_own_text_does_not_say(code: int) -> None:
    words = whatsapp.meaning(str(code)).words
    assert words
    assert whatsapp.failure(meta(400, code)).text.startswith(f"{words} (Meta: (#")
    status = {"id": "w", "status": "failed", "errors": [{"code": code, "title": "Refused"}]}
    [receipt] = parse({"kind": "status", "status": status})
    assert isinstance(receipt, Receipt)
    assert receipt.reason == f"{words} (Meta: Refused)"


@pytest.mark.parametrize(("code", "of_line"), [(131064, True), (131042, True), (131063, False), (131026, False)])
def test_people_are_told_of_what_concerns_the_whole_line(code: int, of_line: bool) -> None:
    [receipt] = parse({"kind": "status", "status": {"id": "w", "status": "failed", "errors": [{"code": code}]}})
    assert isinstance(receipt, Receipt)
    assert receipt.of_line is of_line


TOKEN = "Zx81-not-like-any-token"


@pytest.mark.parametrize("failure", [whatsapp.failure, genesys.failure])
@pytest.mark.parametrize(
    "body",
    [
        {"code": "x", "message": f"who is {TOKEN}?", "error": {"code": 131000, "message": f"and {TOKEN}"}},
        {
            "message": "x",
            "debug": [{"access_token": "whatever-it-is"}, {"note": '{"client_secret": "whatever-it-is"}'}],
        },
        {"message": "x", "seen": "Authorization: Bearer whatever-it-is", TOKEN: 1},
        {"message": "x", "url": "https://host/path?sig=whatever-it-is"},
        f'<html>{TOKEN} bearer whatever-it-is "refresh_token": "whatever-it-is"</html>',
        "x" * 3990 + f" {TOKEN} " + "y" * 100_000,
        f"https://host/path?{'q' * 7970} {TOKEN}{TOKEN}",
        {"message": "x" * 3000, "deep": [{"at": f"{TOKEN} " * 50}] * 500},
        '{"message": "x", "nested": ' + "[" * 300 + f'"{TOKEN}"' + "]" * 300 + "}",
    ],
)
def test_a_kept_answer_hides_no_secret(failure: Any, body: Any) -> None:
    raw = body.encode() if isinstance(body, str) else orjson.dumps(body)
    for told in ({"secrets": (TOKEN,)}, {}):
        # Given, or only what the call itself was authorised with.
        error = failure(HttpResponse(500, {}, raw, "" if told else TOKEN), **told)
        assert error.answer and len(error.answer) <= 4000
        for secret in (TOKEN, TOKEN[:8], "whatever-it-is"):
            assert secret not in error.answer and secret not in error.text


def test_what_a_call_was_authorised_with_is_in_no_kept_answer() -> None:
    assert HttpResponse(400, {}, orjson.dumps({"seen": TOKEN}), TOKEN).kept() == '{"seen":"[secret]"}'


def test_the_whole_answer_is_kept_as_compact_json() -> None:
    error = whatsapp.failure(meta(400, 131009, error_subcode=2494010, error_data={"details": "Param text"}))
    assert orjson.loads(error.answer or "") == {
        "error": {
            "message": "(#131009) text",
            "type": "OAuthException",
            "code": 131009,
            "fbtrace_id": "Atrace",
            "error_subcode": 2494010,
            "error_data": {"details": "Param text"},
        }
    }
    assert ": " not in (error.answer or "")


def test_of_an_answer_without_json_the_beginning_is_kept() -> None:
    error = genesys.failure(HttpResponse(502, {}, b"<html>\x00Bad Gateway</html>" + b" z" * 9000))
    assert error.answer and error.answer.startswith("<html>Bad Gateway</html> z") and len(error.answer) <= 4000
    assert whatsapp.failure(HttpResponse(502, {}, b"")).answer is None


def test_a_failed_status_is_kept_whole_but_for_secrets() -> None:
    status = {
        "id": "wamid.HBgM",
        "status": "failed",
        "timestamp": "1790000000",
        "recipient_id": "491701234567",
        "errors": [{"code": 131026, "title": "x", "error_data": {"details": f"EAAB{'x' * 20} for +49 170 1234567"}}],
    }
    [event] = parse({"kind": "status", "status": status})
    assert isinstance(event, Receipt) and (event.fate, event.code) == ("refused", "131026")
    assert orjson.loads(event.answer or "") == {
        "id": "wamid.HBgM",
        "timestamp": "1790000000",
        "errors": [{"code": 131026, "title": "x", "error_data": {"details": "[secret] for [number]"}}],
    }
    [long] = parse({"kind": "status", "status": {**status, "errors": [{"title": "so long " * 5000}]}})
    assert isinstance(long, Receipt) and len(long.answer or "") <= 4000
    [sent] = parse({"kind": "status", "status": {**status, "status": "sent"}})
    assert isinstance(sent, Receipt) and (sent.fate, sent.answer) == (None, None)


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
    error = whatsapp.failure(HttpResponse(status, {}, body))
    assert (error.fate, error.code) == (fate, f"http_{status}")
    assert genesys.failure(HttpResponse(status, {}, body)).fate == fate


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
    error = genesys.failure(HttpResponse(status, {"retry-after": "7"}, body))
    assert (error.fate, error.code, error.status, error.trace_id) == (fate, code, status, "ctx")
    assert error.retry_after == 7


def test_genesys_correlation_id_is_kept() -> None:
    answer = HttpResponse(400, {"inin-correlation-id": "corr"}, b'{"code": "bad.request", "contextId": "ctx"}')
    assert genesys.failure(answer).trace_id == "corr"


def test_an_unknown_message_in_a_receipt_stops_no_line() -> None:
    answer = HttpResponse(404, {}, b'{"code": "not.found", "message": "no such message"}')
    assert genesys.failure(answer, about_another=True).fate == "refused"


@pytest.mark.parametrize("value", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 30])
def test_a_retry_after_that_is_no_number_is_none(value: str) -> None:
    assert HttpResponse(429, {"retry-after": value}, b"").retry_after is None


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (500, 131000, "unknown"),
        (502, 131016, "unknown"),
        (403, 10, "refused"),  # not enrolled: no trouble of the line's messages
        (403, 200, "refused"),
        (401, 190, "credentials"),
        (400, 2494191, "refused"),
        (429, 4, "throttled"),
    ],
)
def test_what_is_said_of_a_thread_is_final_only_where_it_is_clear(status: int, code: int, fate: str) -> None:
    assert whatsapp.of_thread(whatsapp.failure(meta(status, code))).fate == fate
