"""What every channel has to keep, whichever provider it speaks to. One suite for all of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import relay.channels
from relay.channels import base
from relay.channels.base import Account, Channel
from relay.channels.http.client import HttpTransport
from relay.channels.raw_update import RawUpdate
from relay.core.errors import CannotCarry, ParseError, SendError
from relay.core.messages import (
    Event,
    Ignored,
    Media,
    Message,
    Notice,
    Person,
    Receipt,
    Recipient,
    Report,
    Typing,
    dump,
    load,
)
from tests.unit.relay.channels.accounts import BSUID, CONTACT, GENESYS, PHONE, WHATSAPP, Tokens
from tests.unit.relay.channels.recorded import recorded
from tests.unit.relay.channels.servers import answer, reset, routes, serving
from tests.waiting import PATIENCE

TO = Recipient(CONTACT, wa_id=PHONE, bsuid=BSUID, name="Ada Brandt")
URL = "https://files.example.org/file"


@dataclass(frozen=True)
class Case:
    """What the suite has to know of a provider."""

    name: str
    account: Account
    bodies: tuple[Any, ...]
    sign: Callable[[bytes, str], str]
    taken: dict[str, Any]


def _hex(raw: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def _base64(raw: bytes, secret: str) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def _envelope(case: dict[str, Any]) -> dict[str, Any]:
    contacts = [case["contact"]] if case.get("contact") else []
    value = {"metadata": {"phone_number_id": WHATSAPP.line_ref}, "contacts": contacts, "messages": [case["message"]]}
    return {"entry": [{"changes": [{"field": "messages", "value": value}]}]}


CASES = (
    Case(
        "whatsapp",
        WHATSAPP,
        (
            recorded("whatsapp", "batch"),
            *map(_envelope, recorded("whatsapp", "messages")),
            *({"entry": [{"changes": [change]}]} for change in recorded("whatsapp", "changes")),
        ),
        _hex,
        {"messages": [{"id": "wamid.out"}]},
    ),
    Case(
        "genesys",
        GENESYS,
        tuple(case["item"] for name in ("messages", "structured") for case in recorded("genesys", name)),
        _base64,
        {"id": "7f3c", "conversationId": "33"},
    ),
)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def channel(case: Case) -> Channel:
    return offline(case)


def offline(case: Case) -> Channel:
    """The channel with nobody at the other end."""
    return at(case, "http://127.0.0.1:1")


def at(case: Case, url: str) -> Channel:
    return relay.channels.load(case.name, HttpTransport(Tokens(), url, "v25.0", url, url, request_seconds=PATIENCE))


def serve(case: Case, given: Any) -> Any:
    """A server that gives tokens, and answers everything else as told."""
    token = {"access_token": "token-0123456789", "expires_in": 3600}
    return serving(routes({"POST /oauth/token": token, ".*": given}))


def soon() -> float:
    return time.monotonic() + PATIENCE


def message(text: str | None = "Hello", media: Media | None = None) -> Message:
    return Message("source-id", Person(PHONE), 1764000000.0, text=text, media=media)


def test_every_installed_channel_is_in_this_suite() -> None:
    assert tuple(case.name for case in CASES) == relay.channels.NAMES
    with pytest.raises(ValueError, match="carrier-pigeon"):
        relay.channels.load("carrier-pigeon", HttpTransport(Tokens()))


def test_signatures_match_the_contract(channel: Channel, case: Case) -> None:
    assert channel.name == case.name
    assert isinstance(channel.uploads_media, bool)
    for name, expected in inspect.getmembers(base.Channel, inspect.isfunction):
        if not name.startswith("_"):
            wanted = list(inspect.signature(expected).parameters)[1:]
            assert list(inspect.signature(getattr(channel, name)).parameters) == wanted, name


def test_signed_bodies(channel: Channel, case: Case) -> None:
    raw = orjson.dumps({"x": "é"})
    assert channel.verify("secret-1", raw, case.sign(raw, "secret-1"))
    assert not channel.verify("secret-2", raw, case.sign(raw, "secret-1"))
    assert not channel.verify("secret-1", raw + b" ", case.sign(raw, "secret-1"))
    assert not channel.verify("", raw, case.sign(raw, ""))
    assert not channel.verify("secret-1", raw, None)


def test_the_other_providers_signature_is_refused(channel: Channel, case: Case) -> None:
    (other,) = (it for it in CASES if it is not case)
    assert not channel.verify("secret-1", b"{}", other.sign(b"{}", "secret-1"))


def test_recorded_bodies_become_events(channel: Channel, case: Case) -> None:
    for body in case.bodies:
        parts = list(channel.split(body))
        assert [part.index for part in parts] == list(range(len(parts)))
        for part in parts:
            for event in channel.parse(part.payload):
                _is_sound(event, part)


def _is_sound(event: Event, part: RawUpdate) -> None:
    """The promises of core/messages, for one event; and that it can be stored and read back."""
    kind = next(kind for kind in get_args(Event) if isinstance(event, kind))
    assert load(kind, dump(event)) == event
    if isinstance(event, Receipt):
        assert event.provider_id
        return
    if isinstance(event, Notice):
        assert event.kind
        assert event.reason
        return
    assert event.person.address == part.address
    assert "" not in (event.person.wa_id, event.person.bsuid, event.person.name)
    if isinstance(event, Typing):
        return
    assert event.source_id
    assert event.provider_time > 0
    if isinstance(event, Ignored):
        assert event.reason
    else:
        assert (event.text or "").strip() or event.media or event.place
        assert 1 <= event.part <= event.parts


def test_a_payload_survives_its_way_through_the_broker(channel: Channel, case: Case) -> None:
    for body in case.bodies:
        for part in channel.split(body):
            try:
                payload = orjson.loads(orjson.dumps(part.payload))
            except orjson.JSONEncodeError:
                continue  # lone surrogates: no JSON reader of ours lets them in
            assert [type(event) for event in channel.parse(payload)] == [
                type(event) for event in channel.parse(part.payload)
            ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _damaged(value: Any, draw: Callable[[Any], Any]) -> Any:
    """A recorded value with pieces replaced by anything, or missing."""
    if draw(st.integers(0, 14)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        return {key: _damaged(item, draw) for key, item in value.items() if draw(st.integers(0, 14))}
    if isinstance(value, list):
        return [_damaged(item, draw) for item in value]
    return value


@st.composite
def damaged(draw: Any, bodies: tuple[Any, ...]) -> Any:
    return _damaged(draw(st.sampled_from(bodies)), draw)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@settings(max_examples=300)
@given(data=st.data())
def test_no_body_breaks_a_channel(case: Case, data: st.DataObject) -> None:
    channel = offline(case)
    body = data.draw(JSON | damaged(case.bodies))
    channel.keep(body, {case.account.line_ref})
    for part in channel.split(body):
        try:
            events = channel.parse(part.payload)
        except ParseError:
            continue
        for event in events:
            dump(event)
            if isinstance(event, Message):
                _can_be_rendered(event)


def _can_be_rendered(event: Message) -> None:
    """Both channels can put into words what the other said, or say that they cannot."""
    for case in CASES:
        channel = offline(case)
        try:
            fitted = replace(event, media=channel.fit_media(event.media)) if event.media else event
            for part in channel.fit(fitted):
                media = replace(part.media, upload_id="1") if part.media else None
                orjson.dumps(channel.render(replace(part, media=media), "id", TO, case.account, URL).body)
        except CannotCarry:
            pass


CLEAN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=400)


@given(text=CLEAN, caption=CLEAN, times=st.integers(1, 40))
def test_fit_loses_nothing_and_is_done_after_once(text: str, caption: str, times: int) -> None:
    for case in CASES:
        channel = offline(case)
        for media in (
            None,
            Media("image", "image/png", caption=caption),
            Media("audio", "audio/mpeg", caption=caption),
        ):
            parts = channel.fit(message(text * times, media))
            said = "".join(f"{part.text or ''}{(part.media and part.media.caption) or ''}" for part in parts)
            assert set("".join((text * times).split())) <= set(said)
            assert len({part.source_id for part in parts}) == len(parts)
            assert {part.report_id for part in parts} == {"source-id"}
            assert [part.part for part in parts] == list(range(1, len(parts) + 1))
            assert [channel.fit(part) for part in parts] == [[part] for part in parts]


def test_keep_gives_nobody_a_strangers_items(channel: Channel, case: Case) -> None:
    for body in case.bodies:
        nothing = list(channel.split(channel.keep(body, {"nobody"})))
        assert not any(part.line_ref or part.address for part in nothing)
        kept = list(channel.split(channel.keep(body, {case.account.line_ref})))
        assert {part.line_ref for part in kept if part.address} <= {case.account.line_ref}


def test_a_rewrite_touches_the_parts_of_its_lines_only(channel: Channel, case: Case) -> None:
    own = {case.account.line_ref}
    for body in case.bodies:
        assert channel.rewrite(body, {"nobody"}, lambda _: None) == body
        assert channel.rewrite(body, own, lambda one: one) == body
        left = channel.rewrite(body, own, lambda _: None)
        assert left is None or not any(part.address and part.line_ref in own for part in channel.split(left))


def test_send(case: Case) -> None:
    with serve(case, case.taken) as served:
        channel = at(case, served.url)
        called: list[int] = []
        request = channel.render(message(), "id", TO, case.account, None)
        sent = channel.send(request, case.account, soon(), before_send=lambda: called.append(1))
    assert sent.provider_id
    assert (sent.status, called) == (200, [1])


def test_a_lost_answer_is_unknown_and_the_request_goes_out_once(case: Case) -> None:
    with serve(case, lambda _, sock, __: reset(sock)) as served:
        channel = at(case, served.url)
        request = channel.render(message(), "id", TO, case.account, None)
        with pytest.raises(SendError) as caught:
            channel.send(request, case.account, soon())
    assert caught.value.fate == "unknown"
    assert len([asked for asked in served.asked if asked.path.split("?")[0].endswith(request.path)]) == 1


def test_without_a_connection_nothing_happened(channel: Channel, case: Case) -> None:
    request = channel.render(message(), "id", TO, case.account, None)
    with pytest.raises(SendError) as caught:
        channel.send(request, case.account, soon())
    assert caught.value.fate == "retry"


def test_a_lost_lease_stops_the_call(case: Case) -> None:
    def lost() -> None:
        raise SendError("retry", "lease_lost", "another daemon owns it")

    with serve(case, case.taken) as served:
        channel = at(case, served.url)
        request = channel.render(message(), "id", TO, case.account, None)
        with pytest.raises(SendError, match="lease_lost"):
            channel.send(request, case.account, soon(), lost)
    assert all("oauth" in asked.path for asked in served.asked)


@pytest.mark.parametrize(
    "given",
    [
        (400, {"error": {"code": 100, "message": f"+{PHONE} {BSUID}"}, "code": "x", "message": f"{PHONE} {BSUID}"}),
        (500, b"<html>EAAG-test-token-0123456789</html>"),
        (200, b"\xff\xfe"),
        (204, b""),
        (302, b""),
        (
            401,
            {
                "code": "bad.credentials",
                "message": "token-0123456789",
                "error": {"code": 190, "message": "EAAGtoken99"},
            },
        ),
        lambda _, sock, __: answer(sock, b"x" * 100, 400, Retry_After="soon"),
    ],
)
def test_failures_are_send_errors_without_secrets(case: Case, given: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(case, given) as served:
        channel = at(case, served.url)
        request = channel.render(message(), "id", TO, case.account, None)
        media = Media("image", source_id="1", source_url=served.url + "/file")
        for call in (
            lambda: channel.send(request, case.account, soon()),
            lambda: channel.fetch(media, case.account, soon()).__enter__(),
        ):
            error = _trouble(call)
            shown = f"{error!r} {error.__dict__ if error else None} {caplog.text}"
            assert not any(secret in shown for secret in (PHONE, BSUID, "token-0123", "EAAG", *_secrets(case)))
        for finding in channel.check(case.account, soon()):
            assert finding.level in ("ok", "warning", "refused")
            assert not any(secret in finding.text for secret in (PHONE, BSUID, "token-0123", "EAAG", *_secrets(case)))


def _trouble(call: Callable[[], Any]) -> SendError | None:
    """The SendError of a call; anything else goes through. A file may well consist of any bytes."""
    try:
        call()
    except SendError as error:
        return error
    return None


def _secrets(case: Case) -> Iterator[str]:
    return (value for name, value in case.account.credentials.items() if "secret" in name or "token" in name)


def test_an_account_does_not_show_its_secrets(case: Case) -> None:
    assert not any(secret in repr(case.account) for secret in _secrets(case))


def test_a_check_without_connection_refuses_nothing(channel: Channel, case: Case) -> None:
    findings = channel.check(case.account, soon())
    assert findings
    assert {finding.level for finding in findings} == {"warning"}


def test_reports() -> None:
    """Genesys wants to hear what became of a message, WhatsApp does not."""
    whatsapp, genesys = map(offline, CASES)
    report = Report("id", "7f3c", "failed", 1764000000.0, "131047", "too late")
    assert genesys.render_report(report, TO, GENESYS).body["status"] == "Failed"
    with pytest.raises(CannotCarry):
        whatsapp.render_report(report, TO, WHATSAPP)
