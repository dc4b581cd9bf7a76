"""Updates that nobody could decode: what lies in the broker's queue, and bringing it back. For API and portal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db import audit
from relay.broker.dead_letters import DeadLetter, route
from relay.broker.updates import unpacked
from relay.core.messages import Update, load
from relay.core.queues import EXCHANGE
from relay.core.redaction import redacted
from web.request.context import pool, web_context
from web.request.principal import by

PUBLISH_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Undecoded:
    """One of them. `arrived_at` in Unix seconds; `payload` as the provider sent it, secrets masked."""

    id: str
    reason: str
    size: int
    readable: bool
    proved: bool
    channel: str | None = None
    tenant_id: str | None = None
    line_id: str | None = None
    arrived_at: float | None = None
    payload: Any = None


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """`left`: all that lie in the queue now, those that stayed among them."""

    replayed: int
    stayed: int
    left: int


def listed(limit: int) -> tuple[int, list[Undecoded]]:
    """How many there are, and so many of them. They stay. Raises BrokerError."""
    waiting, letters = looked_at(limit)
    _note("broker_letters.viewed", len(letters))
    return waiting, letters


def looked_at(limit: int) -> tuple[int, list[Undecoded]]:
    """The same for who tells the audit log by itself."""
    found = web_context().dead_letters
    letters = found.peek(limit)
    return found.count(), [_shown(one) for one in letters]


def bring_back(most: int, wanted: Callable[[DeadLetter], bool] = lambda _: True) -> BroughtBack:
    """As many go back to their queues, of those whose signature counts for their line now. Raises BrokerError."""
    held = web_context()
    gone, stayed = held.dead_letters.bring_back(
        lambda letter: route(letter.body, held.shards, _proved) if wanted(letter) else None,
        lambda letters: held.publisher.publish(letters, PUBLISH_SECONDS),
        most,
    )
    _note("broker_letters.replayed", gone)
    return BroughtBack(gone, stayed, held.dead_letters.count())


def _shown(letter: DeadLetter) -> Undecoded:
    """A message with several updates is told by its first: they are of one conversation."""
    try:
        updates = [load(Update, one) for one in unpacked(letter.body)]
        first = updates[0]
    except (ValueError, IndexError):
        return Undecoded(letter.id, letter.reason, len(letter.body), False, False)
    return Undecoded(
        letter.id,
        letter.reason,
        len(letter.body),
        readable=first.channel in EXCHANGE,
        proved=all(_proved(one) for one in updates),
        channel=first.channel,
        tenant_id=first.tenant_id,
        line_id=first.line_id,
        arrived_at=first.arrived_at,
        payload=redacted(first.payload if len(updates) == 1 else [one.payload for one in updates]),
    )


def _proved(update: Update) -> bool:
    return web_context().signers.proves(update, web_context().meta_app_secrets)


def _note(action: str, count: int) -> None:
    with pool().transaction() as cursor:
        audit.record(cursor, by(), action, detail={"count": count})
