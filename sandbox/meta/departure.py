"""After Meta's 200: what it only finds out later, and then the way to the phone. Runs in a greenlet per message."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import gevent
import requests

from sandbox.accounts import Number
from sandbox.meta import carrier
from sandbox.meta.carrier import Failure
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.fitness import unfit, unfit_voice
from sandbox.meta.media import MEGABYTE, UPLOAD_DAYS, MediaItem, base_type
from sandbox.meta.requests import SendRequest
from sandbox.meta.routing import sending
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World

REACTION_DAYS = 30


def depart(world: "World", number: Number, thread: Thread, entry: ThreadMessage, request: SendRequest) -> None:
    try:
        _check_phone(thread)
        _check_owner(world, number, thread, entry)
        if not request.direct:
            _check_window(world, thread, entry)
        _check_references(world, entry)
        _resolve_media(world, number, entry, request)
    except Failure as failure:
        gevent.sleep(thread.phone.delays_ms["sent"] / 1000)
        carrier.fail(world, number, thread, entry, failure.code, failure.details)
        return
    thread.answered()
    carrier.travel(world, number, thread, entry)


def _check_phone(thread: Thread) -> None:
    if thread.phone.gone:
        raise Failure(131026, "Message undeliverable: the recipient is not on WhatsApp.")


def _check_owner(world: "World", number: Number, thread: Thread, entry: ThreadMessage) -> None:
    if entry.origin == "api" and sending.fails_later(world, number, thread, entry.type):
        raise Failure(sending.NOT_OWNER, sending.DETAILS)


def _check_window(world: "World", thread: Thread, entry: ThreadMessage) -> None:
    if entry.type != "template" and not thread.is_open(world.limits.meta.service_window_hours):
        raise Failure(
            131047,
            "Message failed to send because more than 24 hours have passed since the customer last "
            "replied to this number.",
        )


def _check_references(world: "World", entry: ThreadMessage) -> None:
    if entry.type == "reaction":
        _check_target(world, entry)
    if entry.context and world.phones.entry(entry.context["message_id"]) is None:
        # Meta delivers the message without the quote.
        world.stats.finding("meta", "context_unknown", f"context.message_id of {entry.id} is unknown: no quote")
        entry.context = entry.quoted = None


def _check_target(world: "World", entry: ThreadMessage) -> None:
    known = world.phones.entry(str(entry.about))
    if known is None or known[0].deleted:
        raise Failure(131009, "The message to react to does not exist.")
    if known[0].type == "reaction":
        raise Failure(131009, "The message to react to is a reaction itself.")
    if time.time() - known[0].timestamp > REACTION_DAYS * 86_400:
        raise Failure(131009, "The message to react to is older than 30 days.")


def _resolve_media(world: "World", number: Number, entry: ThreadMessage, request: SendRequest) -> None:
    if request.file is None:
        return
    kind, file = request.file
    if file.link is not None:
        entry.media = _fetch(world, number, file.link)
    assert entry.media is not None
    mime_type, data = entry.media.mime_type, entry.media.blob.data
    reason = unfit(kind, mime_type, data) or (unfit_voice(mime_type) if getattr(file, "voice", False) else None)
    if reason:
        raise Failure(131053, reason)
    filename = getattr(file, "filename", None)
    if filename:
        entry.media = replace(entry.media, filename=filename)


def _fetch(world: "World", number: Number, link: str) -> MediaItem:
    """Meta's fetcher: no redirects, no credentials, the type as the server says it."""
    try:
        with requests.get(link, timeout=10, allow_redirects=False, stream=True) as response:
            if response.status_code != 200:
                raise Failure(
                    131053,
                    f"Downloading media from weblink failed with http code {response.status_code}, "
                    f"status message {response.reason}",
                )
            data = response.raw.read(100 * MEGABYTE + 1, decode_content=True)
            mime_type = response.headers.get("Content-Type", "application/octet-stream")
    except requests.RequestException as problem:
        raise Failure(131053, f"Downloading media from weblink failed: {type(problem).__name__}") from None
    name = link.split("?")[0].rsplit("/", 1)[-1] or None
    return world.media.add(
        number.phone_number_id,
        base_type(mime_type) if "ogg" not in mime_type else mime_type,
        world.blobs.add(data),
        name,
        UPLOAD_DAYS,
    )
