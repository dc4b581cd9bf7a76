"""The agents' convention: texts that are meant for the relay, since Genesys' composer knows no such messages.

Whoever adds a command adds a module beside this one and a row to COMMANDS.
"""

from __future__ import annotations

import re
from dataclasses import replace

from relay.channels.genesys import ask_command, template_command, thread_commands
from relay.channels.genesys.commands import Command, UnreadableError, plain_word
from relay.core.messages import Message
from relay.core.visible import trimmed

COMMANDS: tuple[Command, ...] = (template_command.COMMAND, ask_command.COMMAND, *thread_commands.COMMANDS)
_LONGEST_HEAD = 200
"""So far one looks for the word: nothing unseen is pasted that is longer."""


def begins(text: str | None) -> bool:
    """Whether somebody means a command, well written or not: nobody else's text begins like that."""
    return _command(text) is not None


def applied(message: Message) -> Message:
    """The message that its text asks for; an ordinary one as it is.

    What cannot be read is a command all the same, with its `unreadable` in words for its writer: it is refused and
    never reaches the customer as a text.
    """
    command = _command(message.text)
    if command is None or message.template is not None:
        return message
    try:
        return command.read(message, trimmed(message.text or ""))
    except UnreadableError:
        return replace(message, type=command.type, unreadable=command.how)


def _command(text: str | None) -> Command | None:
    head = plain_word(trimmed(text or "")[:_LONGEST_HEAD])
    head = re.sub(r"\A/\s+", "/", head).lower()
    return next((command for command in COMMANDS if command.begins(head)), None)
