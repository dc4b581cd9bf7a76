"""The end of a conversation at the agents' side, and what a line wants to follow it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation import window
from relay.core.messages import COPY, Message, Person
from relay.core.threads import THREAD_CONTROL, ThreadControl, in_words
from relay.core.visible import as_word

EndKind = Literal["over", "agent_left", "asked"]
"""`asked`: the customer wrote one of the line's words for it."""
THREADS = {"release": ThreadControl("release"), "ai_agent": ThreadControl("pass", "ai_agent")}
"""What becomes of the thread, where several responders may answer a contact."""
MOST_TEXT = 1024
MOST_WORD = 60
PREFIX = "end:"
"""Before the id of what follows an end: no provider's id is like it."""


@dataclass(frozen=True, slots=True)
class ConversationEnd:
    """One that a provider told of, by its own id of the conversation. `at` is Unix seconds.

    `participant` is who left; `reason` the provider's word for how.
    """

    kind: EndKind
    conversation: str
    at: float
    participant: str = ""
    reason: str = ""


def asked_for(message: Message, settings: Mapping[str, Any]) -> bool:
    """Whether the customer wrote one of the line's words for the end, and nothing else. Capitals, blanks, full stops
    and what cannot be seen do not count."""
    words = settings.get("end_words")
    if not isinstance(words, (list, tuple)) or message.media is not None or not message.text:
        return False
    if len(message.text) > MOST_WORD * 4 or message.source_id.startswith(COPY):
        return False
    return bare(message.text) in {bare(str(word)) for word in words} - {""}


def bare(text: str) -> str:
    """What of it counts in a comparison."""
    return " ".join(as_word(text).casefold().split()).strip(" .!")


def follows_end(message: Message) -> bool:
    """Whether it is sent, or a thread given away, because a conversation has ended."""
    return message.source_id.startswith(PREFIX)


def following(end: ConversationEnd, mapping: ConversationMapping, settings: Mapping[str, Any]) -> list[Message]:
    """What the line wants done after the end, in order: what the customer is sent, then that the thread is given away.

    What somebody else has, or nobody, is not the line's to give.
    It has the time of the end, so that what agents wrote before goes before it.
    """
    said, thread = _said(end, mapping, settings), THREADS.get(str(settings.get("end_thread")))
    found = [said] if said is not None else []
    if thread is not None and mapping.thread_now(end.at).state not in ("elsewhere", "idle"):
        found.append(
            Message(
                f"{PREFIX}{end.conversation}:{round(end.at * 1000)}:thread", Person(mapping.genesys_address), end.at,
                type=THREAD_CONTROL, text=in_words(thread), control=thread,
            )
        )  # fmt: skip
    return found


def _said(end: ConversationEnd, mapping: ConversationMapping, settings: Mapping[str, Any]) -> Message | None:
    """The line's text while the 24-hour window is open at that moment, else its template. None: nothing."""
    said = str(settings.get("end_text") or "")[:MOST_TEXT]
    person = Person(mapping.genesys_address, wa_id=mapping.wa_id, bsuid=mapping.bsuid)
    message = Message(f"{PREFIX}{end.conversation}:{round(end.at * 1000)}", person, end.at, text=said)
    if said and not window.closed(mapping.window_until, end.at):
        return replace(message, text=said.replace("{name}", mapping.name or "").strip() or None)
    return window.in_its_place(message, {"window_template": settings.get("end_template")}, mapping.name)
