"""A canonical message as the body of POST /{phone_number_id}/messages. No I/O.

Source: Meta's send-messages and *-messages pages; BSUID page of May 2026 for `recipient`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Request
from relay.channels.http.reading import joined_once, without_none
from relay.channels.whatsapp.identity import digits
from relay.channels.whatsapp.limits import CAPTIONED, OPUS, TEXT
from relay.channels.whatsapp.outbound.asking import asking
from relay.channels.whatsapp.outbound.interactive import body_text, header_file, interactive
from relay.channels.whatsapp.outbound.native_templates import template_of, wrong
from relay.channels.whatsapp.outbound.pins import location
from relay.channels.whatsapp.outbound.templates import refuse, template
from relay.channels.whatsapp.outbound.thread_control import thread_control
from relay.channels.whatsapp.outbound.writing import written_for
from relay.core.contacts.phones import dialled
from relay.core.contacts.user_ids import is_user_id
from relay.core.errors import CannotCarry
from relay.core.languages import Say, phrase
from relay.core.messages import Media, Message, Recipient
from relay.core.templates.listed import ListedTemplate
from relay.core.threads import THREAD_CONTROL

NO_ADDRESS = phrase(
    "neither phone number nor user id of the contact is known: "
    "write to a number with + and country code, such as +49 170 1112223"
)
NUMBER_LOST = phrase(
    "the phone number of this contact belongs to somebody else now, and no other is known: "
    "answer when the contact has written again, or write to their new number with + and country code"
)


def phone_number_id(account: Account) -> str:
    """The line's own number; a tenant's credentials may name another of its numbers."""
    return account.line_ref or account.credentials.get("phone_number_id", "")


def render(
    message: Message,
    message_id: str,
    to: Recipient,
    account: Account,
    media_url: str | None,
    languages: Sequence[ListedTemplate] = (),
) -> Request:
    """The call that sends `message`; `media_url` is where our copy of its file can be fetched."""
    if message.type == THREAD_CONTROL:
        return thread_control(message, addressed(to), phone_number_id(account))
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **addressed(to),
        **_worded(written_for(message, account.settings), message_id, media_url, languages, account.say),
        "biz_opaque_callback_data": message_id,
    }
    if (
        body["type"] == "text"
        and message.native is None
        and not message.direct
        and account.settings.get("link_previews")
    ):
        body["text"] = {"preview_url": True, **body["text"]}
    if message.reply_to:
        body["context"] = {"message_id": message.reply_to}
    if message.direct:
        body |= _direct(account)
    edge = "marketing_messages" if _is_marketing(message, account, languages) else "messages"
    return Request("POST", f"/{quote(phone_number_id(account), safe='')}/{edge}", body)


def _direct(account: Account) -> dict[str, Any]:
    """What makes a template of the message at Meta. Source: Meta's page on Direct Send (utility, July 2026)."""
    name = account.settings.get("direct_send_template")
    return {"category": "utility"} | ({"direct_send_config": {"template_name": name}} if name else {})


def _is_marketing(message: Message, account: Account, languages: Sequence[ListedTemplate]) -> bool:
    """Where the line says so, by the category as it is now: a change that is only announced does not count."""
    if not account.settings.get("marketing_messages"):
        return False
    own = template_of(message.native) if message.native is not None else None
    language = own[1] if own is not None else message.template.language if message.template is not None else None
    return any(one.language == language and one.category == "MARKETING" for one in languages)


def _worded(
    message: Message, message_id: str, media_url: str | None, languages: Sequence[ListedTemplate], say: Say
) -> dict[str, Any]:
    """Its type, and what stands below that name; a program's own object as the program wrote it."""
    if message.native is not None:
        refuse(wrong(message.native, languages))
        return {**message.native.fields, "type": message.native.type}
    kind, content = _content(message, message_id, media_url, languages, say)
    return {"type": kind, kind: content}


def addressed(to: Recipient) -> dict[str, str]:
    """A phone number goes into `to`, with its plus; a BSUID into `recipient`.

    A BSUID in `to` is answered 200 and lost; without the plus Meta may put its own country code.
    Of somebody who never wrote only what the agent dialled is known: `genesys_address`. Once a name changed hands
    that number may be another person's.
    """
    user_ids = [found for found in (to.bsuid, to.wa_id, to.genesys_address) if found and is_user_id(found)]
    phone = digits(to.wa_id) or (dialled(to.genesys_address) if to.dialled and not user_ids else None)
    if phone:
        return {"to": f"+{phone}"}
    if user_ids:
        return {"recipient": user_ids[0]}
    raise CannotCarry("no_address", NO_ADDRESS if to.dialled else NUMBER_LOST)


def _content(
    message: Message, message_id: str, media_url: str | None, languages: Sequence[ListedTemplate], say: Say
) -> tuple[str, dict[str, Any]]:
    if message.template is not None or message.type == "template":
        return "template", template(message, message_id, media_url, languages)
    if message.ask is not None:
        return "interactive", asking(message, message.ask, message_id, say)
    if message.place is not None:
        return "location", location(message.place)
    if message.options and not message.numbered:
        return interactive(message, message_id, media_url, say)
    if message.media is None or _is_told(message, message.media):
        return "text", _text(message, media_url)
    return message.media.kind, _file(message, message.media, media_url)


def _is_told(message: Message, media: Media) -> bool:
    """Whether the file goes as text: as a link, or not at all, being a decoration that takes no text."""
    return media.kind == "link" or (media.optional and bool(message.text) and media.kind not in CAPTIONED)


def _file(message: Message, media: Media, media_url: str | None) -> dict[str, Any]:
    caption = joined_once(message.text, media.caption)
    if caption and media.kind not in CAPTIONED:
        raise CannotCarry("caption_not_allowed", phrase("WhatsApp takes no text with %(kind)s", kind=media.kind))
    item = {**header_file(media, media_url), "caption": caption or None}
    if media.voice and media.mime_type == OPUS:
        item["voice"] = True
    return without_none(item)


def _text(message: Message, media_url: str | None) -> dict[str, Any]:
    media = message.media
    text = joined_once(message.text, media.caption if media else None)
    body = body_text(replace(message, text=text), media_url)
    if not body:
        raise CannotCarry("empty", phrase("the message has no text"))
    if len(body) > TEXT:
        raise CannotCarry("text_too_long", phrase("WhatsApp takes %(count)s characters", count=TEXT))
    return {"body": body, "preview_url": False} if media else {"body": body}
