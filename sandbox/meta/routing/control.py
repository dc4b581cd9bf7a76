"""Pass, take and release of a thread, whoever asks for it, and what the other one hears of it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.meta.errors import GraphError
from sandbox.meta.routing import webhooks
from sandbox.meta.routing.settings import APP, Responder, Role
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World

NOT_ESCALATION = 2494191
IMPLICIT_TAKE = "Control taken via service message"


@dataclass
class Handover:
    """What goes along with a change of owners."""

    metadata: str | None = None
    recap: str | None = None
    """The summary's text, in place of the sandbox's own."""
    merged: dict[str, Any] = field(default_factory=dict)
    """Replaces fields of the webhook's value; null takes one away."""


def pass_on(world: "World", number: Number, thread: Thread, by: Responder, target: Role | None, said: Handover) -> None:
    routing, ownership = world.routing.of(number), thread.ownership
    role: Role = target or "escalation"
    holder = routing.holder(role)
    if ownership.owner is None:
        raise _refused("The thread is idle: nobody owns it.")
    if ownership.owner != by:
        raise _refused("The thread is owned by another responder.")
    if holder is None:
        raise _refused(f"No responder has the role {role} on this phone number.")
    if holder == by:
        raise _refused("The target owns the thread already.")
    before = ownership.role
    ownership.give(holder, role)
    if holder == APP:
        recap = None if routing.standby else webhooks.recap_of(thread, routing.recap, said.recap)
        content = {
            "previous_owner_role": before,
            "new_owner_role": role,
            "metadata": said.metadata,
            "conversation_context": recap,
        }
        webhooks.handover(world, number, thread, "control_passed", content, said.merged)
    _changed(world, thread)


def take(world: "World", number: Number, thread: Thread, by: Responder, said: Handover) -> None:
    ownership = thread.ownership
    if world.routing.of(number).holder("escalation") != by:
        raise GraphError(NOT_ESCALATION, "Only the escalation partner can take a thread.")
    before, loser = ownership.role, ownership.owner
    ownership.give(by, "escalation")
    if loser == APP and by != APP:
        content = {"previous_owner_role": before, "new_owner_role": "escalation", "metadata": said.metadata}
        webhooks.handover(world, number, thread, "control_taken", content, said.merged)
    _changed(world, thread)


def release(world: "World", thread: Thread, by: Responder) -> None:
    if thread.ownership.owner not in (None, by):
        raise _refused("The thread is owned by another responder.")
    thread.ownership.release()
    _changed(world, thread)


def _changed(world: "World", thread: Thread) -> None:
    world.events.changed("phone", thread.phone.wa_id, thread.phone_number_id)


def _refused(reason: str) -> GraphError:
    """Which code Meta gives here is not documented: that of a parameter that does not fit."""
    return GraphError(100, reason)
