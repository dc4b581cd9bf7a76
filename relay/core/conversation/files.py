"""What to do when a message's file could not be made ready: wait, go on without it, or give the message up. Pure."""

from __future__ import annotations

from relay.core.conversation.departure import Hindrance
from relay.core.conversation.events import FilePrepared
from relay.core.conversation.fallback import without_media
from relay.core.conversation.lane import Pending
from relay.core.messages import Message
from relay.core.retry import before_next_preparation


def after_trouble(one: Pending, told: FilePrepared, error: Exception, now: float) -> float | Message | Hindrance:
    """When to try again (Unix seconds), what goes out without the file, or why the message ends here."""
    others_work = one.first_trouble is not None and now - told.worked_ago > one.first_trouble
    age = now - one.key.arrived_at
    wait = before_next_preparation(error, one.preparations, age, others_work)
    if wait is not None:
        return now + wait
    code, text = said(error)
    media = one.message.media
    if media is not None and (media.optional or (told.direction == "inbound" and not media.public)):
        return without_media(one.message, text, told.say)
    return Hindrance("failed", code, text)


def said(error: Exception) -> tuple[str, str]:
    """Its code and its text."""
    return getattr(error, "code", "media_failed"), getattr(error, "text", str(error))
