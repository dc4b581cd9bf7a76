"""/take, /release, /pass: how an agent or a bot hands a conversation over to another responder of WhatsApp's.

    /pass ai_agent The customer has no further question.
    /release
    /take

A role stands behind /pass: ai_agent, escalation, customer_service, marketing, utility, ctwa; without one it goes to the
escalation partner. What follows is a note to whoever gets the conversation. The customer sees nothing of it.
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.genesys.commands import Command, UnreadableError, behind, words_of
from relay.core.languages import phrase
from relay.core.messages import Message
from relay.core.threads import ACTIONS, LONGEST_NOTE, ROLES, THREAD_CONTROL, ResponderRole, ThreadAction, ThreadControl

HOW = phrase(
    "what to do with the conversation could not be read; write /take, /release, or /pass and to whom, such as "
    "/pass ai_agent, and behind it, if you like, a note of up to 2,000 characters to them"
)
_ROLES: dict[str, ResponderRole] = {name: name for name in ROLES}


def _reader(action: ThreadAction) -> Command:
    def applied(message: Message, text: str) -> Message:
        """Raises UnreadableError."""
        if message.options or message.media is not None:
            raise UnreadableError("a conversation is handed over, and nothing with it")
        words = words_of(text)
        if words[0].lower() != f"/{action}":
            raise UnreadableError("a word of its own")
        role = _role(words) if action == "pass" else None
        note = behind(text, 2 if role else 1)
        if len(note) > LONGEST_NOTE:
            raise UnreadableError("the note is too long")
        return replace(message, type=THREAD_CONTROL, control=ThreadControl(action, role, note or None))

    return Command(f"/{action}", applied, HOW, type=THREAD_CONTROL)


def _role(words: list[str]) -> ResponderRole | None:
    """A mistyped role must not make a note of itself: then the conversation would go to somebody else."""
    if len(words) == 1:
        return None
    found = _ROLES.get(words[1].lower())
    if found is None:
        raise UnreadableError("a role that WhatsApp does not know")
    return found


COMMANDS = tuple(map(_reader, ACTIONS))
