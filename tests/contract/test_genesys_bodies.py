"""Every body that the relay can send to Genesys, read with the SDK's models: nothing unknown, nothing missing."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from relay.channels import whatsapp
from relay.channels.genesys import GenesysChannel
from relay.channels.http.client import HttpTransport
from relay.core.content import Answer, Location, Option, Quote
from relay.core.conversation.quoting import with_quote
from relay.core.explain.causes import Cause
from relay.core.messages import Media, MediaKind, Message, Person, Recipient, Report
from sandbox.genesys import answers, payloads, rich_samples
from sandbox.genesys.desk import DeskConversation, DeskMessage
from sandbox.world import World
from tests.contract.sdk_models import problems
from tests.unit.relay.channels.accounts import BSUID, CONTACT, GENESYS, PHONE, Tokens
from tests.unit.relay.channels.recorded import recorded

PERSON = Person(PHONE, wa_id=PHONE, bsuid=BSUID, parent_bsuid="DE.ENT.1", name="Ada Brandt", username="ada.brandt")
TO = Recipient(CONTACT, wa_id=PHONE, bsuid=BSUID, name="Ada Brandt")
NAMELESS = Recipient(CONTACT, bsuid=BSUID, genesys_conversation_known=True)
TIME = "2026-11-23T15:00:00.000Z"
URL = "https://files.example.org/file?signature=abc"
MODELS = {
    "message": "OpenInboundNormalizedMessage",
    "response": "OpenInboundStructuredResponseMessage",
    "receipt": "OpenInboundNormalizedReceipt",
}
TEXTS = {
    "short": "Hello",
    "one character": ".",
    "emoji": "👨‍👩‍👧‍👦 ½ \u202eleft",
    "control characters": "a\x00b\x1f\u2028c",
    "too long for one": "word " * 3_000,
    "one long word": "x" * 9_000,
    "long emoji": "😀" * 5_000,
    "link": "https://shop.example/a?b=c&d=e",
}
KINDS = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus",
    "document": "application/pdf",
    "sticker": "image/webp",
    "link": "text/html",
}
OPTIONS = {
    "quick reply": Option("Monday", "mon"),
    "button": Option("Book", "book-" + "x" * 1_000, "button"),
    "date": Option("2026-11-24 09:00", "2026-11-24T09:00:00.000Z", "date"),
    "without payload": Option("Yes"),
    "list row": Option("Courier", "courier", description="Today", section="Delivery"),
    "template button": Option("Thanks", "thanks-4711", "button"),
}


@pytest.fixture(scope="module")
def channel() -> GenesysChannel:
    return GenesysChannel(HttpTransport(Tokens()))


def message(text: str | None = None, **more: Any) -> Message:
    return Message("wamid.HBgN", PERSON, 1_764_000_000.5, text=text, **more)


def bodies(channel: GenesysChannel, given: Message, to: Recipient = TO) -> list[tuple[str, dict[str, Any]]]:
    """As the relay sends it: made to fit, then rendered part by part."""
    media = channel.fit_media(given.media) if given.media else None
    parts = channel.fit(replace(given, media=media))
    calls = [channel.render(part, "m1", to, GENESYS, URL if part.media else None) for part in parts]
    return [(MODELS[call.path.rsplit("/", 1)[-1]], call.body) for call in calls]


def assert_sound(found: list[tuple[str, dict[str, Any]]]) -> None:
    assert found
    for model, body in found:
        assert problems(model, body) == []


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("to", [TO, NAMELESS], ids=["known", "nameless"])
def test_texts(channel: GenesysChannel, name: str, to: Recipient) -> None:
    assert_sound(bodies(channel, message(TEXTS[name]), to))
    assert_sound(bodies(channel, message(TEXTS[name], reply_to="wamid.other"), to))


@pytest.mark.parametrize("kind", get_args(MediaKind))
def test_media(channel: GenesysChannel, kind: MediaKind) -> None:
    whole = Media(kind, KINDS[kind], filename="a b.bin", caption="A hut", sha256="0" * 64, size=1234, voice=True)
    bare = Media(kind, size=1)
    large = replace(whole, size=26 * 1024 * 1024)
    cards = replace(whole, mime_type="text/vcard", inline="BEGIN:VCARD")
    for media in (whole, bare, large, cards, replace(whole, caption="long " * 2_000)):
        assert_sound(bodies(channel, message(media=media)))
        assert_sound(bodies(channel, message("beside it", media=media)))


@pytest.mark.parametrize("name", OPTIONS)
def test_answers(channel: GenesysChannel, name: str) -> None:
    """A tapped option goes back as what its author offered; one that is not known any more as a text."""
    found = Answer(
        "01890a5d-ac96-774b-bcce-b302099a8057", 0, OPTIONS[name], offered_by="7f3c1a2b4d5e6f708192a3b4c5d6e7f8"
    )
    sent = bodies(channel, message(OPTIONS[name].text, type="interactive", answer=found))
    assert [model for model, _ in sent] == [MODELS["response"]]
    assert_sound(sent)
    lost = replace(found, option=None, offered_by=None)
    sent = bodies(channel, message("Monday", type="interactive", answer=lost))
    assert [model for model, _ in sent] == [MODELS["message"]]
    assert_sound(sent)


def test_what_comes_with_a_message(channel: GenesysChannel) -> None:
    attributes = {"forwarded": "true", "referral_url": "https://x.example", "long": "y" * 5_000, "empty": "", "ä": "1"}
    assert_sound(bodies(channel, message("Hello", attributes=attributes)))
    assert_sound(bodies(channel, message("here", type="location", place=Location(52.5, 13.4, "Gate", "Pariser Platz"))))
    assert_sound(bodies(channel, message("👍", type="reaction", reply_to="wamid.other", about="reaction")))
    assert_sound(bodies(channel, message("news", type="system", notice=True, window_until=1.0)))


def test_an_answer_goes_back_as_the_desk_has_offered_it(channel: GenesysChannel) -> None:
    """Every sample of the desk, read by the relay, with each of its answers tapped."""
    world = World("http://127.0.0.1:1")
    integration = next(iter(world.accounts.integrations.values()))
    for name in rich_samples.names():
        made = rich_samples.composed(name, world)
        asked = DeskMessage(
            "7f3c1a2b", "outbound", made.type, "c", TIME, text=made.text, content=made.content, by="Bot"
        )
        webhook = payloads.outbound(integration, DeskConversation(integration.integration_id, CONTACT), asked)
        read = [event for event in channel.parse(webhook) if isinstance(event, Message)]
        options = [option for event in read for option in event.options if not option.url]
        assert (name, len(options)) == (name, len(answers.options(made.content)))
        for option in options:
            tapped = message(option.text, answer=Answer("m1", 0, option, asked.id))
            ((_, body),) = bodies(channel, tapped)
            button = body["buttonResponse"]
            assert answers.offered(made.content, button["text"], button["payload"]), (name, button)


@pytest.mark.parametrize("quote", [None, Quote("How can I help?", "business")], ids=["unknown", "known"])
def test_all_that_customers_were_seen_to_send(channel: GenesysChannel, quote: Quote | None) -> None:
    customers = whatsapp.create(HttpTransport(Tokens()))
    cases = recorded("whatsapp", "messages")
    events = [
        event
        for case in cases
        for event in customers.parse({"kind": "message", "message": case["message"], "contact": case["contact"]})
    ]
    written = [event for event in events if isinstance(event, Message)]
    assert len(written) > len(cases) / 2
    for event in written:
        assert_sound(bodies(channel, with_quote(event, quote)))


@pytest.mark.parametrize("cause", get_args(Cause))
def test_reports(channel: GenesysChannel, cause: Cause) -> None:
    whole = Report("m1", "7f3c1a2b", "failed", 1_764_000_000.0, "131047", "r" * 5_000, cause)
    for report in (whole, replace(whole, code=None, reason=None), replace(whole, status="delivered")):
        call = channel.render_report(report, TO, GENESYS)
        assert problems(MODELS[call.path.rsplit("/", 1)[-1]], call.body) == []
