"""For how long a tenant keeps what: as it stands, and a new choice. The page and the API share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from db.tenants import retention
from relay.core.retention import RetentionKind
from web.request.context import changes, pool, web_context
from web.request.principal import by


@dataclass(frozen=True, slots=True)
class KeptKind:
    """One kind of data: for how long it is kept, and how far deleting is. `due_at`: None before the first step."""

    kind: RetentionKind
    days: int
    chosen: bool
    least: int
    most: int
    usual: int
    deleted: int = 0
    last_deleted: int = 0
    this_round: int = 0
    ended_at: datetime | None = None
    ended_before: datetime | None = None
    due_at: datetime | None = None
    trouble: str | None = None


def standing(tenant_id: str) -> list[KeptKind]:
    """Of every kind."""
    terms = web_context().retention
    chosen = retention.chosen(pool(), tenant_id)
    days = terms.days(chosen)
    progress = {one.kind: one for one in retention.progress(pool(), tenant_id)}
    found = []
    for kind, own in terms.bounds.items():
        kept = KeptKind(kind, days[kind], kind in chosen, own.least, own.most, own.usual)
        at = progress.get(kind)
        if at is not None:
            kept = KeptKind(
                kind, days[kind], kind in chosen, own.least, own.most, own.usual, at.deleted, at.last_deleted,
                at.this_round, at.ended_at, at.ended_before, at.due_at, at.trouble,
            )  # fmt: skip
        found.append(kept)
    return found


def choose(tenant_id: str, days: Mapping[str, int]) -> None:
    """What is not in it is as usual. Raises RetentionError."""
    web_context().retention.checked(days)
    retention.choose(changes(), by(), tenant_id, days)
