"""What a responder may send into a thread: templates always, all else as the thread's owner.

Whether Meta refuses at once or reports it later, and what it makes of reactions, read marks and typing, is not
documented; Routing.not_owner and Routing.signals have both. Nor is what an escalation partner's message does that has
not taken the thread first.
"""

from typing import TYPE_CHECKING

from sandbox.accounts import Number
from sandbox.meta.errors import GraphError
from sandbox.meta.routing import control
from sandbox.meta.routing.control import IMPLICIT_TAKE, Handover
from sandbox.meta.routing.settings import APP, BUSINESS_AGENT, Responder
from sandbox.meta.thread import Thread

if TYPE_CHECKING:
    from sandbox.world import World

NOT_OWNER = 131070
DETAILS = "Another responder owns this conversation, or nobody does: only its owner can send service messages."


def check_send(world: "World", number: Number, thread: Thread, kind: str, by: Responder = APP) -> None:
    """Raises GraphError where the message is refused at once; a service message of the escalation partner takes."""
    routing = world.routing.of(number)
    if not routing.on or kind == "template" or thread.ownership.owner == by:
        return
    if kind == "reaction" and by == APP:
        check_signal(world, number, thread)
    elif routing.implicit_take and routing.holder("escalation") == by:
        control.take(world, number, thread, by, Handover(IMPLICIT_TAKE))
    elif routing.not_owner == "refused" or by == BUSINESS_AGENT:
        raise GraphError(NOT_OWNER, DETAILS)


def check_signal(world: "World", number: Number, thread: Thread) -> None:
    routing = world.routing.of(number)
    if routing.on and routing.signals == "refused" and thread.ownership.owner != APP:
        raise GraphError(NOT_OWNER, DETAILS)


def fails_later(world: "World", number: Number, thread: Thread, kind: str) -> bool:
    """Whether what was accepted fails since its sender does not own the thread."""
    routing = world.routing.of(number)
    if not routing.on or routing.not_owner != "failed" or kind in ("template", "reaction"):
        return False
    return thread.ownership.owner != APP
