"""Carries messages between business and phone after Meta has accepted them, and reports each step by webhook."""

from typing import TYPE_CHECKING, Any

import gevent

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.meta import payloads
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.errors import title
from sandbox.meta.posting import post
from sandbox.meta.routing import delivery
from sandbox.meta.routing.settings import BUSINESS_AGENT
from sandbox.meta.thread import Thread
from sandbox.webhooks.update import DeliveryState

if TYPE_CHECKING:
    from sandbox.world import World


_WITH_USERNAME = ("delivered", "read", "played")


class Failure(Exception):
    """Meta took the message and cannot deliver it."""

    def __init__(self, code: int, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


def travel(world: "World", number: Number, thread: Thread, entry: ThreadMessage) -> None:
    """From accepted to sent, and on to the phone if it is there. Runs in its own greenlet."""
    delays = thread.phone.delays_ms
    gevent.sleep(delays["sent"] / 1000)
    if thread.phone.fail_code is not None:
        fail(
            world, number, thread, entry, thread.phone.fail_code, "The sandbox was told to fail messages to this phone"
        )
        return
    report(world, number, thread, entry, "sent")
    if entry.type == "reaction":
        react(world, entry, "business")
        thread.show(entry)
        world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)
        return
    gevent.sleep(delays["delivered"] / 1000)
    # The phone may have come online meanwhile and fetched it itself.
    if thread.phone.online and entry.status == "sent":
        arrive(world, number, thread, entry)


def react(world: "World", entry: ThreadMessage, by: str) -> None:
    known = world.phones.entry(str(entry.about))
    if known is not None:
        known[0].react(by, entry.text or "")


def arrive(world: "World", number: Number, thread: Thread, entry: ThreadMessage) -> None:
    phone = thread.phone
    thread.show(entry)
    thread.typing_until = 0
    if phone.chat_open and phone.read_receipts:
        report(world, number, thread, entry, "read")
        return
    report(world, number, thread, entry, "delivered")
    if phone.reads_automatically and phone.read_receipts:
        gevent.spawn_later(phone.delays_ms["read"] / 1000, _read, world, number, thread, entry)


def go_online(world: "World", thread: Thread) -> None:
    number = world.accounts.numbers.get(thread.phone_number_id)
    for entry in list(thread.undelivered.values()):
        if number is not None and entry.status == "sent":
            arrive(world, number, thread, entry)


def open_chat(world: "World", thread: Thread) -> None:
    number = world.accounts.numbers.get(thread.phone_number_id)
    for entry in list(thread.shown):
        if number is not None and entry.direction == "outbound":
            _read(world, number, thread, entry)


def _read(world: "World", number: Number, thread: Thread, entry: ThreadMessage) -> None:
    if entry.status == "delivered" and thread.phone.read_receipts:
        report(world, number, thread, entry, "read")


def fail(world: "World", number: Number, thread: Thread, entry: ThreadMessage, code: int, details: str) -> None:
    entry.errors = [{"code": code, "title": title(code), "details": details}]
    report(world, number, thread, entry, "failed", entry.errors)


def report(
    world: "World",
    number: Number,
    thread: Thread,
    entry: ThreadMessage,
    status: str,
    errors: list[dict[str, Any]] | None = None,
    timestamp: int | None = None,
) -> None:
    if not world.phones.holds(thread):
        # Reset while it was under way: nobody waits for it any more.
        return
    moment = timestamp or unix_seconds()
    free_until, tier = thread.free_until, world.limits.meta.free_service_messages
    pricing = world.billing.priced(number.phone_number_id, entry, thread.phone.wa_id, status, moment, free_until, tier)
    item = payloads.status(entry, thread.phone, status, moment, errors or [], free_until, pricing)
    entry.reached(status, moment)
    world.stats.meta.messages[f"status:{status}"] += 1
    # Left out of failed ones by Meta's page, there in what was seen of late 2026: who is not on WhatsApp has none.
    contact = None if thread.phone.gone else payloads.contact(thread.phone, with_username=status in _WITH_USERNAME)
    if entry.origin == BUSINESS_AGENT:
        track = delivery.others_status(world, number, thread, item)
    else:
        track = emit(world, number, thread, "statuses", item, contact)
    entry.track = track
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)


def emit(
    world: "World",
    number: Number,
    thread: Thread,
    kind: str,
    item: dict[str, Any],
    contact: dict[str, Any] | None,
    on_delivered: Any = None,
    field: str = "messages",
) -> DeliveryState:
    payload = payloads.part(number, kind, item, contact, field)
    return post(world, number, thread, kind, item["timestamp"], payload, on_delivered)
