"""What was tapped or filled in: buttons, list rows, template quick replies, flows, permissions to call.

The id of an answer that we offered is "<our message's id>.<its place>"; what others offered has ids of theirs.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import orjson

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record
from relay.channels.text import clean
from relay.channels.whatsapp.inbound.wording import LONGEST_KIND, plain, words
from relay.core.content import Answer
from relay.core.languages import phrase, together

_OURS = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,4})")
_BUILT = re.compile(r"screen_\d+_(.+?)_\d+")
"""Names that Meta's flow builder makes up, screen_0_Your_name_1; its choices are "0_Very_good"."""
_CHOICE = re.compile(r"\d+_")
_OTHER_VALUES = ("flow_token", "saved_address_id")
_LONGEST_FORM = 60
_ANSWERED = {"accept": phrase("given"), "reject": phrase("refused")}


def answer(message: JsonObject) -> Answer | None:
    """Which of our options was tapped."""
    found = _OURS.fullmatch(tapped_id(message) or "")
    return Answer(found[1], int(found[2])) if found else None


def tapped_id(message: JsonObject) -> str | None:
    """The id of a button or row, or the payload of a template's quick reply."""
    return clean(_reply(record(message.get("interactive"))).get("id")) or clean(
        record(message.get("button")).get("payload")
    )


def attributes(message: JsonObject) -> dict[str, Any]:
    """What a bot would want to know of it."""
    reply = _reply(record(message.get("interactive")))
    tapped = tapped_id(message)
    return {
        "button_id": None if answer(message) else tapped,
        "flow_name": reply.get("name"),
        "flow_response": reply.get("response_json"),
        "call_permission": reply.get("response"),
    }


def button(item: JsonObject) -> str:
    return clean(item.get("text")) or clean(item.get("payload")) or phrase("Pressed a button")


def interactive(item: JsonObject) -> str:
    reply = _reply(item)
    kind = (clean(item.get("type")) or "")[:LONGEST_KIND]
    if kind == "nfm_reply":
        return _form(reply)
    if kind == "call_permission_reply":
        return _call_permission(reply)
    shown = joined((reply.get("title"), reply.get("description"))) or clean(reply.get("id"))
    answered = phrase("[answered: %(kind)s]", kind=kind or phrase("interactive message"))
    return shown or joined((answered, *words(item.get(kind))))


def _reply(item: JsonObject) -> JsonObject:
    """What is under the name that its type says; else the only object there is."""
    named = record(item.get(clean(item.get("type")) or ""))
    others = [inner for inner in item.values() if isinstance(inner, dict)]
    return named or (others[0] if len(others) == 1 else {})


def _form(reply: JsonObject) -> str:
    """A flow's or form's answers. `response_json` is JSON in a string, and not always valid."""
    given = reply.get("response_json")
    answers = record(given) or _json(clean(given) or "")
    values = record(answers.get("values")) or answers
    lines = [_field(*each) for each in list(values.items())[:_LONGEST_FORM] if each[0] not in _OTHER_VALUES]
    name = (clean(reply.get("name")) or "")[:LONGEST_KIND] or phrase("form")
    head = phrase("🏠 Address") if name == "address_message" else phrase("[%(form)s answered]", form=name)
    return joined((head, *lines) if any(lines) else (head, reply.get("body")))


def _json(text: str) -> JsonObject:
    try:
        return record(orjson.loads(text))
    except orjson.JSONDecodeError:
        return {}


def _field(name: str, value: Any) -> str:
    built = _BUILT.fullmatch(name)
    chosen = _CHOICE.match(value) if built and isinstance(value, str) else None
    if chosen:
        value = value[chosen.end() :].replace("_", " ")
    shown = plain(value)
    return together(((built[1] if built else name).replace("_", " "), shown), ": ") if shown else ""


def _call_permission(reply: JsonObject) -> str:
    response = clean(reply.get("response")) or ""
    until = _until(reply) if response == "accept" else None
    answered = _ANSWERED.get(response, response or phrase("answered"))
    return joined((phrase("Permission to call: %(answered)s", answered=answered), until), ", ")


def _until(reply: JsonObject) -> str | None:
    if reply.get("is_permanent") is True:
        return phrase("for good")
    try:
        seconds = float(clean(reply.get("expiration_timestamp")) or "nan")
        moment = datetime.fromtimestamp(seconds, UTC) if seconds > time.time() - 366 * 86_400 else None
    except (ValueError, OverflowError, OSError):
        return None
    return phrase("until %(moment)s UTC", moment=format(moment, "%Y-%m-%d %H:%M")) if moment else None
