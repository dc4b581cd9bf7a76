"""A user gets another number or another user id. Shapes: Meta's changelog of 11 August 2026."""

from typing import TYPE_CHECKING, Any

from sandbox.ids import bsuid
from sandbox.meta import customer
from sandbox.meta.draft import PhoneMessage
from sandbox.meta.message import sender
from sandbox.meta.thread import Phone

if TYPE_CHECKING:
    from sandbox.world import World


def change_number(world: "World", phone: Phone, wa_id: str, user_id: str | None, *, silent: bool) -> None:
    """A new number brings a new user id. The event comes from the old identity, once per number of a business."""
    old, old_id, new_id = sender(phone), phone.user_id, user_id or bsuid(wa_id)
    body = f"User {phone.name} changed from \u200e{phone.wa_id} to \u200e{wa_id}"
    world.phones.move(phone, wa_id, new_id)
    number = {} if phone.hide_phone else {"wa_id": wa_id}
    _tell(world, phone, old, number | changed("user_changed_number", body, old_id, new_id), silent)


def change_user_id(world: "World", phone: Phone, user_id: str | None, *, silent: bool) -> None:
    old, old_id = sender(phone), phone.user_id
    new_id = user_id or bsuid(phone.wa_id, seed=f"{phone.wa_id}/{old_id}")
    world.phones.rename(phone, new_id)
    body = f"User {phone.name} changed from {old_id} to {new_id}"
    _tell(world, phone, old, changed("user_changed_user_id", body, old_id, new_id), silent)


def changed(kind: str, body: str, previous: str, user_id: str) -> dict[str, Any]:
    return {"type": kind, "body": body, "user_id": user_id, "previous_user_id": previous}


def _tell(world: "World", phone: Phone, old: dict[str, Any], content: dict[str, Any], silent: bool) -> None:
    numbers = world.accounts.numbers
    for thread in world.phones.threads_of(phone, list(numbers)):
        if not silent:
            draft = PhoneMessage("system", str(content["body"]), content=content, message=old)
            customer.send(world, numbers[thread.phone_number_id], thread, draft)
        world.events.changed("phone", phone.wa_id, thread.phone_number_id)
