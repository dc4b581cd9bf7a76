"""A WhatsApp client and webhook parser that is not ours, pywa, takes the stand-in for Meta."""

import datetime
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

import httpx
import pytest
import pywa
from pywa import errors, handlers, types
from pywa.types.templates import (
    BodyText,
    Carousel,
    CarouselCard,
    HeaderImage,
    HeaderText,
    QuickReplyButton,
    TemplateLanguage,
    URLButton,
)

from sandbox.samples import sample
from tests.contract.conftest import APP_SECRET, CUSTOMER, NUMBER, TOKEN, WABA, Receiver, Sandbox

USER_ID = "DE.13491208655302741918"
PHONE = {"from": CUSTOMER, "name": "Ada Brandt", "user_id": USER_ID, "username": "ada.b"}
HANDLERS = (
    handlers.MessageHandler,
    handlers.EditedMessageHandler,
    handlers.DeletedMessageHandler,
    handlers.OutgoingMessageHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.FlowCompletionHandler,
    handlers.CallPermissionUpdateHandler,
    handlers.PhoneNumberChangeHandler,
    handlers.CallConnectHandler,
    handlers.CallTerminateHandler,
    handlers.MessageStatusHandler,
)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[pywa.WhatsApp]:
    """pywa writes Meta's address into the session that it is given; ours is put there afterwards."""
    with httpx.Client(trust_env=False) as session:
        made = pywa.WhatsApp(
            NUMBER, TOKEN, session=session, waba_id=WABA, app_secret=APP_SECRET, verify_token="any", api_version=25.0
        )
        session.base_url = f"{sandbox.url}/graph/v25.0"
        sandbox.control(f"/phone/{CUSTOMER}", {"delays_ms": {"sent": 1, "delivered": 1, "read": 1}})
        yield made


class Reader:
    """Hands every webhook to pywa and keeps what pywa makes of it."""

    def __init__(self, client: pywa.WhatsApp, receiver: Receiver) -> None:
        self.client, self.receiver, self.seen = client, receiver, 0
        self.updates: list[Any] = []
        self.raw: list[types.RawUpdate] = []
        for handler in HANDLERS:
            client.add_handlers(handler(lambda _, update: self.updates.append(update)))
        client.add_handlers(handlers.RawUpdateHandler(lambda _, update: self.raw.append(update)))

    def take(self, count: int = 1) -> list[Any]:
        """What pywa made of the next webhooks: fewer updates than webhooks where it does not know one."""
        before = len(self.updates)
        requests = self.receiver.wait_for("/meta", self.seen + count)[self.seen : self.seen + count]
        self.seen += count
        for each in requests:
            assert self.client.webhook_update_validator(each["raw"], each["signature"]) is None
            assert self.client.webhook_update_handler(each["raw"]) == ("ok", 200)
        return self.updates[before:]


@pytest.fixture
def reader(client: pywa.WhatsApp, sandbox: Sandbox, receiver: Receiver) -> Reader:
    sandbox.subscribe(receiver)
    return Reader(client, receiver)


def write(sandbox: Sandbox, **fields: Any) -> str:
    return sandbox.control("/phone/messages", PHONE | fields)["id"]


WRITTEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"text": "Grüße / 😀 @you"}, {"text": "Grüße / 😀 @you", "type": "text"}),
    "image": (
        {"type": "image", "sample": True, "text": "the hut"},
        {"image.mime_type": "image/jpeg", "caption": "the hut"},
    ),
    "video": ({"type": "video", "sample": True}, {"video.mime_type": "video/mp4", "caption": None}),
    "audio file": ({"type": "audio", "sample": True, "voice": False}, {"audio.voice": False, "voice": None}),
    "voice note": ({"type": "voice", "sample": True}, {"voice.mime_type": "audio/ogg; codecs=opus"}),
    "document": ({"type": "document", "sample": True}, {"document.filename": "offer.pdf"}),
    "sticker": ({"type": "sticker", "sample": True}, {"sticker.animated": False}),
    "animated sticker": ({"type": "sticker", "sample": True, "animated": True}, {"sticker.animated": True}),
    "picked place": (
        {"type": "location", "sample": True},
        {"location.latitude": 52.5219, "location.name": "Alexanderplatz", "location.current_location": False},
    ),
    "own place": (
        {"type": "location", "message": {"location": {"latitude": 52.5, "longitude": 13.4}}},
        {"location.longitude": 13.4, "location.current_location": True},
    ),
    "contacts": (
        {"type": "contacts", "sample": True},
        {"contacts.first.name.formatted_name": "Jonas Berger", "contacts.origin": "other"},
    ),
    "contact asked for": (
        {"type": "contact_request", "sample": True},
        {"contacts.first_wa_id": CUSTOMER, "contacts.origin": "contact_request"},
    ),
    "reaction": ({"type": "reaction", "sample": True}, {"reaction.emoji": "👍", "reaction.is_removed": False}),
    "order": ({"type": "order", "sample": True}, {"order.total_price": 268.9, "order.text": "By Friday, please"}),
    "request_welcome": ({"type": "request_welcome", "sample": True}, {"type": "request_welcome", "text": None}),
    "unsupported": (
        {"type": "unsupported", "unsupported_type": "poll_creation"},
        {"unsupported.type": "poll_creation", "error.code": 131051},
    ),
    "unsupported of old": (
        {"type": "unsupported", "unsupported_type": ""},
        {"unsupported": None, "type": "unsupported"},
    ),
    "not available": ({"type": "unsupported", "error": 131060}, {"error.code": 131060}),
    "forwarded": ({"text": "news", "forwarded": True}, {"forwarded": True, "forwarded_many_times": False}),
    "often forwarded": ({"text": "news", "forwarded": "frequently"}, {"forwarded_many_times": True}),
    "from an ad": (
        {"text": "Hi", "referral": True},
        {"referral.source_type": "ad", "referral.headline": "Tents for every weather"},
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_customer_writes_is_a_message(sandbox: Sandbox, reader: Reader, name: str) -> None:
    fields, expected = WRITTEN[name]
    message_id = write(sandbox, **fields)
    (update,) = reader.take()
    assert type(update) is types.Message
    assert {path: attrgetter(path)(update) for path in expected} == expected
    assert (update.id, update.metadata.phone_number_id, update.waba_id) == (message_id, NUMBER, WABA)
    sender = update.from_user
    assert (sender.wa_id, sender.bsuid, sender.name, sender.username) == (CUSTOMER, USER_ID, "Ada Brandt", "ada.b")


def test_media_can_be_fetched(sandbox: Sandbox, reader: Reader) -> None:
    write(sandbox, type="image", sample=True)
    (update,) = reader.take()
    assert update.get_media_bytes() == sample("image").data


def test_media_that_meta_could_not_take_in(sandbox: Sandbox, reader: Reader) -> None:
    """pywa 4.5 expects the object even beside the error and makes no update of it: the raw one is looked at."""
    write(sandbox, type="video", error=131052)
    assert reader.take() == []
    (message,) = reader.raw[0].value["messages"]
    assert (message["type"], message["errors"][0]["code"], "video" in message) == ("video", 131052, False)


def test_a_reply_names_what_it_replies_to(sandbox: Sandbox, reader: Reader) -> None:
    first = write(sandbox, text="one")
    write(sandbox, text="two", reply_to=first)
    update = reader.take(2)[1]
    assert (update.reply_to_message.id, update.reply_to_message.from_user_id) == (first, CUSTOMER)


def test_a_customer_without_number(sandbox: Sandbox, reader: Reader) -> None:
    write(sandbox, text="Hello", hide_phone=True)
    (update,) = reader.take()
    assert (update.from_user.wa_id, update.from_user.bsuid) == (None, USER_ID)
    assert "from" not in reader.raw[0].value["messages"][0]


def test_a_reaction_is_taken_back_without_emoji_or_with_an_empty_one(sandbox: Sandbox, reader: Reader) -> None:
    first = write(sandbox, text="one")
    for more in ({}, {"empty": True}):
        sandbox.control("/phone/reactions", {"id": first, "emoji": ""} | more)
    _, absent, empty = reader.take(3)
    assert [each.reaction.is_removed for each in (absent, empty)] == [True, True]
    assert absent.reaction.message_id == first
    assert ["emoji" in each.value["messages"][0]["reaction"] for each in reader.raw[1:]] == [False, True]


def test_what_is_tapped_comes_back(sandbox: Sandbox, client: pywa.WhatsApp, reader: Reader) -> None:
    write(sandbox, text="Hello")
    reader.take()
    buttons = client.send_message(CUSTOMER, "Which?", buttons=[types.Button("Red", "r-1"), types.Button("Blue", "b-1")])
    row = types.SectionRow("Monday", "mon", "8 to 12")
    listed = client.send_message(CUSTOMER, "When?", buttons=types.SectionList("Days", [types.Section("Week", [row])]))
    parameters = [
        HeaderText.params(customer_name="Ada"),
        BodyText.params(customer_name="Ada", day="Monday"),
        QuickReplyButton.params(callback_data="confirm-7", index=0),
    ]
    quick = client.send_template(CUSTOMER, "appointment", TemplateLanguage.ENGLISH, parameters)
    for sent in (buttons, listed, quick):
        sandbox.wait_for_status(sent.id, "read")
    reader.take(9)
    sandbox.control("/phone/taps", {"id": buttons.id, "option": "Blue"})
    sandbox.control("/phone/taps", {"id": listed.id, "option": 0})
    sandbox.control("/phone/taps", {"id": quick.id, "option": "Confirm"})
    button, selection, reply = reader.take(3)
    assert [type(each) for each in (button, selection, reply)] == [
        types.CallbackButton,
        types.CallbackSelection,
        types.CallbackButton,
    ]
    assert (button.data, button.title, button.is_quick_reply) == ("b-1", "Blue", False)
    assert (selection.data, selection.title, selection.description) == ("mon", "Monday", "8 to 12")
    assert (reply.data, reply.title, reply.is_quick_reply) == ("confirm-7", "Confirm", True)
    assert [each.reply_to_message.id for each in (button, selection, reply)] == [buttons.id, listed.id, quick.id]


def test_answers_to_forms_and_requests(sandbox: Sandbox, reader: Reader) -> None:
    write(sandbox, type="flow", sample=True)
    write(sandbox, type="call_permission_reply", sample=True)
    write(sandbox, type="address_message", sample=True)
    flow, permission = reader.take(3)
    assert (type(flow), flow.token, flow.response["people"]) == (types.FlowCompletion, "sandbox-flow", "2")
    assert (type(permission), bool(permission), permission.is_expired) == (types.CallPermissionUpdate, True, False)
    # pywa 4.5 has no update for an address.
    reply = reader.raw[2].value["messages"][0]["interactive"]["nfm_reply"]
    assert (reply["name"], "Torstraße" in reply["response_json"]) == ("address_message", True)


def test_edits_and_revocations(sandbox: Sandbox, reader: Reader) -> None:
    first, picture = write(sandbox, text="one"), write(sandbox, type="image", sample=True, text="old")
    sandbox.control("/phone/edits", {"id": first, "text": "two"})
    sandbox.control("/phone/edits", {"id": picture, "text": "new"})
    sandbox.control("/phone/revocations", {"id": first})
    text, caption, gone = reader.take(5)[2:]
    assert (type(text), text.original_message_id, text.message.text) == (types.EditedMessage, first, "two")
    assert (caption.original_message_id, caption.message.caption) == (picture, "new")
    assert (type(gone), gone.original_message_id) == (types.DeletedMessage, first)


def test_a_new_number_and_a_new_user_id(sandbox: Sandbox, reader: Reader) -> None:
    write(sandbox, text="one")
    reader.take()
    sandbox.control(f"/phone/{CUSTOMER}/number", {"wa_id": "4915100000001", "user_id": "DE.2"})
    (number,) = reader.take()
    sandbox.control("/phone/4915100000001/user_id", {"user_id": "DE.3"})
    (user_id,) = reader.take()
    assert (type(number), number.sys_type) == (types.PhoneNumberChange, "user_changed_number")
    assert (number.old_wa_id, number.new_wa_id, number.new_user_id) == (CUSTOMER, "4915100000001", "DE.2")
    assert (user_id.sys_type, user_id.new_user_id, user_id.new_wa_id) == ("user_changed_user_id", "DE.3", None)
    # The previous id is of August 2026; pywa 4.5 does not read it, nor an event without a number.
    systems = [each.value["messages"][0]["system"] for each in reader.raw[1:]]
    assert [each["previous_user_id"] for each in systems] == [USER_ID, "DE.2"]
    assert "contacts" not in reader.raw[1].value


def test_the_business_answers_from_its_own_phone(sandbox: Sandbox, reader: Reader) -> None:
    sent = sandbox.control("/phone/echoes", PHONE | {"text": "We are open"})["id"]
    sandbox.control("/phone/echoes", PHONE | {"type": "image", "sample": True, "text": "the shop"})
    text, picture = reader.take(2)
    assert (type(text), text.id, text.text) == (types.OutgoingMessage, sent, "We are open")
    assert (text.to_user.wa_id, picture.caption) == (CUSTOMER, "the shop")


def test_calls(sandbox: Sandbox, reader: Reader) -> None:
    for event in ("connect", "terminate"):
        sandbox.control("/phone/calls", PHONE | {"event": event})
    connect, terminate = reader.take(2)
    assert (type(connect), connect.direction, connect.session.sdp_type) == (
        types.CallConnect,
        "USER_INITIATED",
        "offer",
    )
    assert (type(terminate), terminate.status, terminate.id) == (types.CallTerminate, "FAILED", connect.id)


def test_standby_is_another_field(sandbox: Sandbox, reader: Reader) -> None:
    """pywa 4.5 does not know the field, of August 2026: it calls nobody but the raw handler."""
    write(sandbox, text="Is anybody there?", field="standby")
    assert reader.take() == []
    assert (reader.raw[0].field, reader.raw[0].value["messages"][0]["text"]["body"]) == ("standby", "Is anybody there?")


def test_a_handover_is_another_field(sandbox: Sandbox, reader: Reader) -> None:
    """Nor does pywa 4.5 know this one."""
    sandbox.control("/routing", {"waba_id": WABA, "on": True, "primary": {"service": "business_agent"}})
    write(sandbox, text="Is anybody there?")
    handover = {"to": NUMBER, "action": "pass", "metadata": "wants a person"}
    sandbox.control(f"/routing/threads/{CUSTOMER}", handover)
    assert reader.take() == []
    assert (reader.raw[0].field, reader.raw[0].value["type"]) == ("messaging_handovers", "control_passed")


def test_statuses(sandbox: Sandbox, client: pywa.WhatsApp, reader: Reader) -> None:
    write(sandbox, text="Hello")
    reader.take()
    sent = client.send_message(CUSTOMER, "Hi", tracker="ours-1")
    statuses = reader.take(3)
    assert [(each.id, each.status, each.tracker) for each in statuses] == [
        (sent.id, status, "ours-1") for status in ("sent", "delivered", "read")
    ]
    assert (statuses[0].pricing.category, statuses[0].from_user.username, statuses[1].from_user.username) == (
        "service",
        None,
        "ada.b",
    )
    sandbox.control(f"/phone/{CUSTOMER}", {"fail_code": 131026})
    client.send_message(CUSTOMER, "Hi")
    (failed,) = reader.take()
    assert isinstance(failed.error, errors.MessageUndeliverable)


def texts(*values: Any) -> Any:
    """pywa's own hints take the first one for the component."""
    return BodyText.params(*values)


PICTURE = sample("image")
Send = Callable[[pywa.WhatsApp, str], Any]


def filled_card(wa: pywa.WhatsApp, place: int) -> Any:
    filled = [
        HeaderImage.params(image=wa.upload_media(PICTURE.data, "image/jpeg", "a.jpg").id),
        texts("49"),
        QuickReplyButton.params(callback_data=f"more-{place}", index=0),
        URLButton.params(url_variable="4711", index=1),
    ]
    return CarouselCard.params(params=filled, index=place)


SENT: dict[str, tuple[Send, dict[str, Any]]] = {
    "text": (lambda wa, _: wa.send_message(CUSTOMER, "Hi"), {"type": "text", "text": "Hi"}),
    "reply": (lambda wa, first: wa.send_message(CUSTOMER, "Hi", reply_to_message_id=first), {"quoted.text": "Hello"}),
    "to a user id": (lambda wa, _: wa.send_message(USER_ID, "Hi"), {"text": "Hi"}),
    "image": (
        lambda wa, _: wa.send_image(CUSTOMER, PICTURE.data, "the hut", mime_type="image/jpeg"),
        {"type": "image", "text": "the hut", "media.size": len(PICTURE.data)},
    ),
    "video": (
        lambda wa, _: wa.send_video(CUSTOMER, sample("video").data, mime_type="video/mp4"),
        {"media.mime_type": "video/mp4"},
    ),
    "voice note": (
        lambda wa, _: wa.send_voice(CUSTOMER, sample("audio").data, mime_type="audio/ogg; codecs=opus"),
        {"payload.audio.voice": True},
    ),
    "document": (
        lambda wa, _: wa.send_document(
            CUSTOMER, sample("document").data, filename="offer.pdf", mime_type="application/pdf"
        ),
        {"media.filename": "offer.pdf"},
    ),
    "sticker": (
        lambda wa, _: wa.send_sticker(CUSTOMER, sample("animated").data, mime_type="image/webp"),
        {"type": "sticker"},
    ),
    "location": (
        lambda wa, _: wa.send_location(CUSTOMER, 52.5, 13.4, name="Berlin", address="Alexanderplatz"),
        {"location.latitude": 52.5, "location.address": "Alexanderplatz"},
    ),
    "contacts": (
        lambda wa, _: wa.send_contact(
            CUSTOMER,
            types.Contact(
                name=types.Contact.Name("Jonas Berger", first_name="Jonas"),
                phones=[types.Contact.Phone("+491579", "CELL")],
            ),
        ),
        {"text": "Jonas Berger"},
    ),
    "buttons": (
        lambda wa, _: wa.send_message(CUSTOMER, "Which?", "Tents", "We call", [types.Button("Red", "r")]),
        {"interactive.header.text": "Tents", "interactive.footer": "We call", "interactive.kind": "button"},
    ),
    "buttons below a picture": (
        lambda wa, _: wa.send_image(
            CUSTOMER, PICTURE.data, "Which?", buttons=[types.Button("Red", "r")], mime_type="image/jpeg"
        ),
        {"interactive.header.media.size": len(PICTURE.data), "interactive.body": "Which?"},
    ),
    "link button": (
        lambda wa, _: wa.send_message(CUSTOMER, "Look", buttons=types.URLButton("Open", "https://a.example/")),
        {"interactive.kind": "cta_url"},
    ),
    "location asked for": (
        lambda wa, _: wa.request_location(CUSTOMER, "Where are you?"),
        {"interactive.kind": "location_request_message"},
    ),
    "number asked for": (
        lambda wa, _: wa.send_message(CUSTOMER, "May we call?", buttons=types.ContactInfoRequestButton()),
        {"interactive.kind": "request_contact_info"},
    ),
    "template": (
        lambda wa, _: wa.send_template(
            CUSTOMER,
            "order_update",
            TemplateLanguage.ENGLISH,
            [
                HeaderImage.params(image=wa.upload_media(PICTURE.data, "image/jpeg", "a.jpg").id),
                texts("Ada", "4711"),
                QuickReplyButton.params(callback_data="stop-4711", index=0),
                URLButton.params(url_variable="4711", index=1),
            ],
        ),
        {
            "template": {"name": "order_update", "language": "en"},
            "text": "Hello Ada, your order 4711 is on its way.",
            "interactive.header.media.size": len(PICTURE.data),
        },
    ),
    "carousel of a template": (
        lambda wa, _: wa.send_template(
            CUSTOMER,
            "new_season",
            TemplateLanguage.ENGLISH,
            [texts("Ada"), Carousel.params(cards=[filled_card(wa, place) for place in range(2)])],
        ),
        {
            "template": {"name": "new_season", "language": "en"},
            "text": "Hello Ada, our tents for the new season are here.",
        },
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_what_pywa_sends_is_shown(sandbox: Sandbox, client: pywa.WhatsApp, name: str) -> None:
    send, expected = SENT[name]
    sent = send(client, write(sandbox, text="Hello"))
    shown = sandbox.wait_for_status(sent.id, "read")
    assert {path: _found(shown, path) for path in expected} == expected


def _found(shown: Any, path: str) -> Any:
    for step in path.split("."):
        shown = shown[step]
    return shown


def test_reactions_of_the_business(sandbox: Sandbox, client: pywa.WhatsApp) -> None:
    first = write(sandbox, text="Hello")
    sandbox.wait_for_status(client.send_reaction(CUSTOMER, "🎉", first).id, "sent")
    assert sandbox.phone()["messages"][0]["reactions"] == [{"emoji": "🎉", "by": "business"}]
    sandbox.wait_for_status(client.remove_reaction(CUSTOMER, first).id, "sent")
    assert sandbox.phone()["messages"][0]["reactions"] == []


def test_reading_and_typing(sandbox: Sandbox, client: pywa.WhatsApp) -> None:
    first = write(sandbox, text="Hello")
    assert client.mark_message_as_read(first)
    assert [each["status"] for each in sandbox.phone()["messages"]] == ["read"]
    assert client.indicate_typing(first)
    assert sandbox.phone()["typing"] is True


def test_uploaded_media_can_be_fetched(client: pywa.WhatsApp) -> None:
    media = client.upload_media(PICTURE.data, "image/jpeg", "a.jpg")
    assert media.get_bytes() == PICTURE.data
    assert client.delete_media(media.id)


def test_refusals_are_errors_that_pywa_knows(client: pywa.WhatsApp) -> None:
    with pytest.raises(errors.InvalidParameter) as refused:
        client.send_message(CUSTOMER, " ")
    assert refused.value.details == "Param text['body']: must not be empty"
    with pytest.raises(errors.TemplateNotExists):
        client.send_template(CUSTOMER, "nothing", TemplateLanguage.ENGLISH)
    with pytest.raises(errors.TemplateParamCountMismatch):
        client.send_template(CUSTOMER, "follow_up", TemplateLanguage.ENGLISH)
    with pytest.raises(errors.BSUIDRecipientNotSupported):
        client.send_template(USER_ID, "login_code", TemplateLanguage.ENGLISH, [texts("1234")])


def test_times_are_unix_seconds(sandbox: Sandbox, reader: Reader) -> None:
    write(sandbox, text="Hello", timestamp=1_795_000_000)
    (update,) = reader.take()
    assert update.timestamp == datetime.datetime.fromtimestamp(1_795_000_000, datetime.UTC)
