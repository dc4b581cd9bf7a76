"""How catching up with a line stands, in words. Pure."""

from __future__ import annotations

from relay.core.catch_up import CatchUp

OUTCOMES = {"complete": "done", "incomplete": "done in part", "failed": "failed"}


def told(one: CatchUp) -> str:
    """A sentence without its full stop."""
    if one.at_work:
        return f"under way: {counted(one)}"
    if one.outcome is None:
        return "waits for a daemon"
    text = f"{OUTCOMES[one.outcome]}: {counted(one)}" + (f" ({one.why})" if one.why else "")
    return f"{text}; it is looked once more by itself" if one.due_at is not None else text


def counted(one: CatchUp) -> str:
    found = f"{one.found:,} message{'' if one.found == 1 else 's'} found and relayed"
    return f"{one.asked:,} of {one.conversations:,} conversations asked about, {found}"
