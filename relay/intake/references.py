"""What a customer's message is about: the quoted text, the answer that was tapped, the number that was written back.

Looked up for a whole group at once, and only for messages that refer to others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from db.cursor import Cursor
from db.mailbox import references
from db.mailbox.references import ReferredMessage
from relay.core.content import Answer, Quote
from relay.core.conversation.quoting import excerpt, new_words, with_quote
from relay.core.languages import Phrase, Say
from relay.core.messages import Message
from relay.core.visible import as_word

NUMBER = re.compile(r"(\d{1,4})\s*[.)]?")
"""In any script that has digits."""
NUMBER_LENGTH = 16
"""A text that is longer is none, however many of its characters are blank."""
KEYCAP = str.maketrans("", "", "\ufe0f\u20e3")
"""A number on a key, as emoji: the digit comes first."""


@dataclass(frozen=True, slots=True)
class Referring:
    """A message in its conversation."""

    line_id: str
    conversation_id: str
    message: Message
    say: Say = str
    """Says a phrase in the language of its agents."""

    def said(self) -> Message:
        """As far as it can be said without knowing what it refers to. Other people's words stay as they are."""
        text = self.message.text
        return replace(self.message, text=self.say(text)) if isinstance(text, Phrase) else self.message


@dataclass(frozen=True, slots=True)
class Completed:
    """`edits`: what messages that were there before are edited to, by our id. Not written yet."""

    messages: list[Message]
    edits: dict[str, str]


def complete(cursor: Cursor, written: Sequence[Referring]) -> Completed:
    """The messages with what they refer to filled in, as far as it is known, all in their agents' language."""
    known = _Referred(cursor, written)
    found = []
    for one in written:
        found.append(_completed(one, known))
        known.edit(one)
    messages = [replace(message, edited=known.edited(one)) for one, message in zip(written, found, strict=True)]
    return Completed(messages, known.edits(cursor))


class _Referred:
    """The messages that a group refers to, with the edits that have come so far."""

    def __init__(self, cursor: Cursor, written: Sequence[Referring]) -> None:
        self._edits: dict[tuple[str, str, str], str] = {}
        """The newest words, by line, conversation, and WhatsApp's id of what was edited."""
        self._group = {(one.conversation_id, one.message.source_id): one.said() for one in written}
        self._quoted = references.quoted(
            cursor, ((one.line_id, one.message.reply_to) for one in written if one.message.reply_to)
        )
        self._offering = references.offering(
            cursor, ((one.line_id, one.message.answer.message_id) for one in written if one.message.answer)
        )
        self._menus = references.last_shown(cursor, (one.conversation_id for one in written if _number(one.message)))

    def edit(self, one: Referring) -> None:
        """From now on the message that this one edits is quoted with its new words."""
        words, of = new_words(one.message), one.message.reply_to
        if words and of:
            self._edits[one.line_id, one.conversation_id, of] = one.say(words) if isinstance(words, Phrase) else words

    def edited(self, one: Referring) -> str | None:
        """Of a message of the group: what it was edited to within the group."""
        return self._edits.get((one.line_id, one.conversation_id, one.message.source_id), one.message.edited)

    def edits(self, cursor: Cursor) -> dict[str, str]:
        """Of the messages that were there before, to be kept with them for all who refer to them later."""
        return references.edited(cursor, self._edits)

    def quote(self, one: Referring) -> Quote | None:
        """Of this conversation only: in a group people quote each other, and an app may name any id it likes."""
        about = one.message.reply_to or ""
        words = self._edits.get((one.line_id, one.conversation_id, about))
        found = self._quoted.get((one.line_id, about))
        if found is not None and found.conversation_id == one.conversation_id:
            inbound = found.direction == "inbound"
            return _quote(found.message, words, by_contact=inbound, with_its_quote=inbound)
        earlier = self._group.get((one.conversation_id, about))
        return _quote(earlier, words, by_contact=True, with_its_quote=False) if earlier is not None else None

    def answer(self, one: Referring) -> Answer | None:
        """The option behind a tap, or behind a number; None where there is none in this conversation."""
        if one.message.answer is not None:
            offering = self._offering.get((one.line_id, one.message.answer.message_id))
            return _chosen(one, offering, one.message.answer.index)
        number = _number(one.message)
        if not number:
            return None
        menu = self._quoted.get((one.line_id, one.message.reply_to or "")) or self._menus.get(one.conversation_id)
        return _chosen(one, menu, number - 1) if menu is not None and menu.message.numbered else None


def _quote(message: Message, words: str | None, *, by_contact: bool, with_its_quote: bool) -> Quote:
    """`words`: what it was edited to. What came in as news was written by the business itself, in its own app."""
    message = replace(message, edited=words or message.edited)
    shown = excerpt(message, with_its_quote=with_its_quote)
    return Quote(shown, "contact" if by_contact and not message.notice else "business")


def _completed(one: Referring, known: _Referred) -> Message:
    message = one.message
    answer = known.answer(one)
    if answer is not None:
        return replace(one.said(), answer=answer)
    if message.reply_to is None and message.about == "reply":
        return one.said()
    return replace(one, message=with_quote(message, known.quote(one))).said()


def _number(message: Message) -> int | None:
    """The number that the message consists of, if it is one."""
    if message.media is not None or message.about != "reply":
        return None
    text = message.text or ""
    found = NUMBER.fullmatch(as_word(text).translate(KEYCAP)) if len(text) <= NUMBER_LENGTH else None
    return int(found[1]) if found else None


def _chosen(one: Referring, offering: ReferredMessage | None, index: int) -> Answer | None:
    if offering is None or offering.conversation_id != one.conversation_id:
        return None
    if not 0 <= index < len(offering.message.options):
        return None
    return Answer(offering.id, index, offering.message.options[index], offering.offered_by)
