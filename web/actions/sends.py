"""Sending through the API: the conversation's actor does it in its turn, here it is asked for and waited for."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import uuid4

import gevent
import structlog
from gevent.lock import BoundedSemaphore

from db.mailbox import handovers, sends
from db.mailbox.sends import NewSend, OtherRequestError, SendState
from db.pool import Pool
from relay import even_clock
from relay.channels.http.origins import is_https, origin_of
from relay.core.contacts.mapping import ConversationMapping
from relay.core.content import Native, Template
from relay.core.errors import SendError, StoreError
from relay.core.messages import Direction, Media, MediaKind, Message, Person, dump
from relay.core.queues import TARGET
from relay.core.threads import ThreadControl
from relay.observing import tracing
from web.request.context import web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import by

__all__ = ["MessageRequest", "SendState", "send"]

log = structlog.get_logger(__name__)

WAIT_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
WAITS = 32
"""So many requests of one worker wait for an outcome; further ones are answered at once."""
_waits = BoundedSemaphore(WAITS)
_FILES: dict[str, MediaKind] = {
    "image": "image", "document": "document", "video": "video", "audio": "audio", "sticker": "sticker",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """`text` is the message, or the caption of the file at `media_url`; `key` makes a repeat the same message.

    `native` goes out as it is: `type` and `text` say of it what is shown.
    """

    direction: Direction
    person: Person
    type: str = "text"
    text: str | None = field(default=None, repr=False)
    media_url: str | None = None
    filename: str | None = None
    key: str | None = None
    template: Template | None = None
    native: Native | None = field(default=None, repr=False)
    header: MediaKind | None = None
    """Of a template: what the file at `media_url` is."""


def send(pool: Pool, tenant_id: str, line_id: str, wanted: MessageRequest, seconds: float = WAIT_SECONDS) -> SendState:
    """Ask for it, and wait for up to `seconds`. Raises ApiError for what cannot be sent at all."""
    now = even_clock.now()
    with tracing.begin("request", now) as trace:
        if trace is not None:
            trace.about(tenant_id=tenant_id, line_id=line_id, direction=wanted.direction)
        message_id = _put(pool, tenant_id, line_id, wanted, now, trace.parent if trace is not None else None)
    return _patiently(pool, tenant_id, message_id, wanted.direction, seconds)


def hand_over(pool: Pool, mapping: ConversationMapping, control: ThreadControl, key: str, seconds: float) -> SendState:
    """Ask for a conversation to go to another responder, and wait for up to `seconds`. Raises ApiError."""
    try:
        message_id = handovers.ask(pool, mapping, control, key, by().actor, even_clock.now())
    except OtherRequestError as error:
        raise ApiError(409, "idempotency_key_reused", str(error)) from None
    return _patiently(pool, mapping.tenant_id, message_id, "outbound", seconds)


def _patiently(pool: Pool, tenant_id: str, message_id: str, direction: Direction, seconds: float) -> SendState:
    try:
        return _awaited(pool, tenant_id, message_id, seconds)
    except StoreError as error:
        # It is written, and will be sent: a 503 would make its sender ask for it again.
        log.warning("outcome_not_awaited", message_id=message_id, error=str(error))
        return SendState(message_id, None, direction, "received", None, None, None, None)


def _put(pool: Pool, tenant_id: str, line_id: str, wanted: MessageRequest, now: float, trace: str | None) -> str:
    message = Message(
        source_id=f"{sends.PREFIX}{wanted.key or uuid4()}",
        person=wanted.person,
        provider_time=now,
        type=wanted.type,
        text=None if wanted.media_url else wanted.text,
        media=_media(wanted),
        template=wanted.template,
        native=wanted.native,
        trace=trace,
    )
    if message.media is None and len(web_context().channels[TARGET[wanted.direction]].fit(message)) > 1:
        raise wrong_field("text", "is too long for one message")
    asked = NewSend(tenant_id, line_id, wanted.direction, message, now, by().actor, _request(line_id, wanted))
    try:
        return sends.put(pool, asked, web_context().shards)
    except OtherRequestError as error:
        raise ApiError(409, "idempotency_key_reused", str(error)) from None


def _media(wanted: MessageRequest) -> Media | None:
    kind = wanted.header if wanted.type == "template" else _FILES.get(wanted.type)
    if wanted.media_url is None or kind is None:
        return None
    _admit(wanted.media_url)
    return Media(kind, source_url=wanted.media_url, filename=wanted.filename, caption=wanted.text or None, public=True)


def _admit(url: str) -> None:
    """Only what can be told without asking: the daemon looks at the address itself when it connects."""
    try:
        origin = origin_of(url)
    except SendError as error:
        raise wrong_field("media_url", f"is {error.text}") from None
    if not is_https(origin) and not any(channel.stand_in for channel in web_context().channels.values()):
        raise wrong_field("media_url", "must begin with https:// and name no port but 443")


def _request(line_id: str, wanted: MessageRequest) -> dict[str, Any]:
    """What makes two requests the same one."""
    given = {
        "direction": wanted.direction,
        "line": line_id,
        "contact": wanted.person.address,
        "name": wanted.person.name,
        "type": wanted.type,
        "text": wanted.text,
        "media_url": wanted.media_url,
        "filename": wanted.filename,
        # As it comes back from PostgreSQL: a repeat would else be another message for its tuples.
        "template": json.loads(dump(wanted.template)) if wanted.template else None,
        "native": asdict(wanted.native) if wanted.native else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _awaited(pool: Pool, tenant_id: str, message_id: str, seconds: float) -> SendState:
    """Polled with growing pauses, within the deadline; at once where too many wait already."""
    patient = seconds > 0 and _waits.acquire(blocking=False)
    try:
        return _polled(pool, tenant_id, message_id, time.monotonic() + seconds if patient else 0.0)
    finally:
        if patient:
            _waits.release()


def _polled(pool: Pool, tenant_id: str, message_id: str, deadline: float) -> SendState:
    pause = FIRST_PAUSE
    while True:
        found = sends.outcome(pool, tenant_id, message_id)
        if found is None:
            raise ApiError(404, "not_found", "the message was removed while it was waited for")
        left = deadline - time.monotonic()
        if found.finished or left <= 0:
            return found
        gevent.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)
