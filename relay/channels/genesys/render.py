"""Canonical messages and reports as bodies of the Open Messaging inbound endpoints. No I/O.

Source: SDK models OpenInboundNormalizedMessage, OpenContentAttachment, OpenInboundNormalizedReceipt,
OpenInboundStructuredResponseMessage.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Request
from relay.channels.genesys.limits import UNKNOWN_MIME
from relay.channels.genesys.reasons import CODES
from relay.channels.http.reading import joined, joined_once, without_none
from relay.channels.text import clean, iso_time
from relay.core.content import Option, OptionKind
from relay.core.errors import CannotCarry
from relay.core.filenames import complete
from relay.core.languages import phrase
from relay.core.messages import Media, Message, Recipient, Report

MEDIA_TYPES = {"image": "Image", "sticker": "Image", "video": "Video", "audio": "Audio", "document": "File"}
ATTRIBUTE = 1000
MOST_ATTRIBUTES = 32
BUTTON_TYPES: dict[OptionKind, str] = {"quick_reply": "QuickReply", "button": "Button", "date": "DatePicker"}


def integration_id(account: Account) -> str:
    """The line's own integration; a tenant's credentials may name another of its integrations."""
    return account.line_ref or account.credentials.get("integration_id", "")


def render(message: Message, message_id: str, to: Recipient, account: Account, media_url: str | None) -> Request:
    """The call that shows `message` to the agent. Genesys fetches a file from `media_url` itself.

    The conversation's id is asked for only when it is not known: that costs Genesys a look-up.
    """
    answer = message.answer
    if answer is not None and answer.option is not None and answer.offered_by is not None:
        return _response(message, answer.option, answer.offered_by, to, account)
    media = message.media
    if media is not None and not media_url:
        raise CannotCarry("media_not_ready", phrase("there is no link to the file"))
    text = joined_once(message.text, media.caption if media else None)
    body: dict[str, Any] = {"channel": _channel(message, to)}
    if media is None or media.kind == "link":
        text = joined((text, joined((media.filename, media_url), ": ") if media else None))
    else:
        body["content"] = [{"contentType": "Attachment", "attachment": _attachment(media, media_url, text)}]
    if text:
        body["text"] = text
    if "text" not in body and "content" not in body:
        raise CannotCarry("empty", phrase("the message has neither text nor file"))
    query = {} if to.genesys_conversation_known else {"prefetchConversationId": "true"}
    return Request("POST", _path(account, "message"), body, query)


def _response(message: Message, option: Option, offered_by: str, to: Recipient, account: Account) -> Request:
    """A tapped answer: what the bot behind it waits for is the payload. Knows no prefetch [genesys.md 5.5]."""
    body = {
        "channel": _channel(message, to),
        "buttonResponse": {
            "type": BUTTON_TYPES[option.kind],
            "text": option.text,
            "payload": option.payload or option.text,
        },
        "originatingMessageId": offered_by,
    }
    return Request("POST", _path(account, "structured/response"), body)


def render_report(report: Report, to: Recipient, account: Account) -> Request:
    """The receipt that tells Genesys what became of an agent's message. Delivered or Failed only."""
    body: dict[str, Any] = {
        "id": report.provider_id,
        "channel": {"to": {"id": to.genesys_address, "idType": "Opaque"}, "time": iso_time(report.time)},
        "status": "Delivered" if report.status == "delivered" else "Failed",
        "isFinalReceipt": True,
    }
    if report.status == "failed":
        message = joined((report.code, report.reason), ": ") or "not delivered"
        body["reasons"] = [{"code": CODES[report.cause], "message": message[:ATTRIBUTE]}]
    return Request("POST", _path(account, "receipt"), body)


def _path(account: Account, kind: str) -> str:
    return f"/api/v2/conversations/messages/{quote(integration_id(account), safe='')}/inbound/open/{kind}"


def _channel(message: Message, to: Recipient) -> dict[str, Any]:
    name = to.name or message.person.name
    return {
        "from": without_none({"id": to.genesys_address, "idType": "Opaque", "nickname": name}),
        "time": iso_time(message.provider_time),
        "messageId": message.source_id,
        "metadata": {"customAttributes": _attributes(message, to, name)},
    }


def _attributes(message: Message, to: Recipient, name: str | None) -> dict[str, str]:
    """Flat text to text: participant data in Architect. A nested value is answered with 400."""
    phone = to.wa_id or message.person.wa_id
    found = {
        "whatsapp_phone": f"+{phone}" if phone and phone.isdigit() else None,
        "whatsapp_bsuid": to.bsuid or message.person.bsuid,
        "whatsapp_name": name,
        "whatsapp_username": message.person.username,
        "whatsapp_type": message.type,
        "whatsapp_window_until": iso_time(message.window_until) if message.window_until else None,
        "whatsapp_thread": to.thread.state if to.thread else None,
        "whatsapp_thread_role": to.thread.role if to.thread else None,
        "whatsapp_reply_to": message.reply_to,
        **_answered(message),
        **{f"whatsapp_{key}": value for key, value in message.attributes.items()},
    }
    told = [(key, text[:ATTRIBUTE]) for key, value in found.items() if (text := clean(value))]
    return dict(told[:MOST_ATTRIBUTES])


def _answered(message: Message) -> dict[str, str | None]:
    """Of an answer that goes as a text, because the message that offered it is not one of Genesys'."""
    answer = message.answer
    if answer is None or answer.found:
        return {}
    payload = answer.option.payload if answer.option else None
    return {"whatsapp_answer_id": f"{answer.message_id}.{answer.index}", "whatsapp_payload": payload}


def _attachment(media: Media, url: str | None, text: str) -> dict[str, Any]:
    """The caption stands here and in the message's text: nobody says which of them agents see."""
    named = media.filename or media.kind == "document"
    return without_none(
        {
            "mediaType": MEDIA_TYPES[media.kind],
            "url": url,
            "mime": media.mime_type.partition(";")[0].strip() or UNKNOWN_MIME,
            "filename": complete(media.filename, media.mime_type) if named else None,
            "sha256": media.sha256,
            "text": text or None,
        }
    )
