"""How catching up with a line stands, in words. Pure."""

from __future__ import annotations

from relay.core.catch_up import CatchUp
from relay.core.languages import Phrase, phrase

OUTCOMES = {"complete": phrase("done"), "incomplete": phrase("done in part"), "failed": phrase("failed")}


def told(one: CatchUp) -> Phrase:
    """A sentence without its full stop."""
    if one.at_work:
        return phrase("under way: %(counted)s", counted=counted(one))
    if one.outcome is None:
        return phrase("waits for a daemon")
    why = f" ({one.why})" if one.why else ""
    text = phrase("%(outcome)s: %(counted)s%(why)s", outcome=OUTCOMES[one.outcome], counted=counted(one), why=why)
    return phrase("%(text)s; it is looked once more by itself", text=text) if one.due_at is not None else text


def counted(one: CatchUp) -> Phrase:
    if one.found == 1:
        found = phrase("1 message found and relayed")
    else:
        found = phrase("%(count)s messages found and relayed", count=one.found)
    return phrase(
        "%(asked)s of %(conversations)s conversations asked about, %(found)s",
        asked=one.asked,
        conversations=one.conversations,
        found=found,
    )
