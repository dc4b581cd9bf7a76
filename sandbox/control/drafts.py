"""Reads what a customer's phone is asked to send: given, sampled, or of a shape that nobody expects."""

from typing import Any

from sandbox.accounts import Number
from sandbox.control import forms
from sandbox.control.errors import ControlError
from sandbox.meta.draft import MEDIA_TYPES, PhoneMessage
from sandbox.meta.gestures import reply_context
from sandbox.meta.media import kind_of
from sandbox.meta.sample_content import ANSWERS, PRODUCT, REFERRAL, WIRE_TYPES, content
from sandbox.meta.thread import Thread
from sandbox.world_access import current

FIELDS = ("messages", "standby")


def draft_of(fields: dict[str, Any], number: Number, thread: Thread) -> PhoneMessage:
    message = fields.get("message") or {}
    if not isinstance(message, dict):
        raise ControlError("message must be an object")
    name = forms.text_field(fields, "type") or message.get("type")
    draft = _with_file(fields, name)
    if draft.file is None and fields.get("sample") and draft.error is None:
        draft.content = content(name or "text", thread)
    draft.message, draft.timestamp = message, int(fields["timestamp"]) if fields.get("timestamp") else None
    draft.context = _context(fields, name, number, thread)
    draft.referral = _sampled("referral", fields.get("referral"), REFERRAL)
    draft.field = _one_of("field", fields.get("field") or "messages", FIELDS)
    _require(draft)
    return draft


def _with_file(fields: dict[str, Any], name: str | None) -> PhoneMessage:
    wire = WIRE_TYPES.get(name or "", name)
    error, animated = fields.get("error"), bool(fields.get("animated"))
    file = None
    if error is None and (wire in MEDIA_TYPES or "media" in fields or "_file" in fields or _names_file(fields)):
        file = forms.file_of(fields, "media", "animated" if animated else wire if wire in MEDIA_TYPES else "image")
    media = fields.get("media")
    text = forms.text_field(fields, "text")
    return PhoneMessage(
        wire or (kind_of(file.mime_type) if file else "text"),
        media.get("caption") if text is None and isinstance(media, dict) else text,
        file,
        animated=animated,
        voice=True if name == "voice" else fields.get("voice"),
        unsupported_type=str(fields.get("unsupported_type", "poll_creation")),
        error=int(error) if error is not None else None,
    )


def _names_file(fields: dict[str, Any]) -> bool:
    return isinstance(fields.get("sample"), str)


def _require(draft: PhoneMessage) -> None:
    given = draft.type in draft.message or draft.content is not None or draft.error is not None
    if draft.type in MEDIA_TYPES and draft.file is None and not given:
        raise ControlError(f"{draft.type} needs media, a file or sample")
    if draft.type == "text" and not draft.text and not given:
        raise ControlError("text is required")


def _context(fields: dict[str, Any], name: str | None, number: Number, thread: Thread) -> dict[str, Any]:
    context: dict[str, Any] = {}
    reply_to = forms.text_field(fields, "reply_to")
    if reply_to is None and fields.get("sample") and name in ANSWERS:
        asked = thread.newest("outbound")
        reply_to = asked.id if asked else None
    if reply_to:
        known = current().phones.entry(reply_to)
        context = reply_context(number, thread, reply_to, known[0] if known else None)
    product = _sampled("referred_product", fields.get("referred_product"), PRODUCT)
    if product is not None:
        context |= {"from": number.digits, "referred_product": product}
    return context | _forwarded(fields.get("forwarded"))


def _forwarded(given: Any) -> dict[str, Any]:
    if not given:
        return {}
    return {"frequently_forwarded": True} if given == "frequently" else {"forwarded": True}


def _sampled(name: str, given: Any, sample: dict[str, Any]) -> dict[str, Any] | None:
    if not given:
        return None
    if given is not True and not isinstance(given, dict):
        raise ControlError(f"{name} must be true or an object")
    return sample | (given if isinstance(given, dict) else {})


def _one_of(name: str, given: Any, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise ControlError(f"{name} must be one of {', '.join(allowed)}")
    return str(given)
