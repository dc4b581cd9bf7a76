"""What many waiting messages wait for, in one word for each group: for figures, where `reasons` has the sentences."""

from __future__ import annotations

from dataclasses import dataclass

from relay.core.explain.reasons import Kind
from relay.core.messages import Direction


@dataclass(frozen=True, slots=True)
class WaitingGroup:
    """Messages of one line and direction that stand alike. `failed`: their last call did; `fetching`: a file."""

    line_id: str
    direction: Direction
    tenant_status: str
    line_status: str
    health: str | None
    state: str
    failed: bool
    fetching: bool
    count: int
    oldest_seconds: float


def kind_of(group: WaitingGroup) -> Kind:
    """What holds the whole side up comes first, as in `reasons.stopped`."""
    if group.tenant_status == "paused":
        return "paused"
    if group.line_status != "active":
        return "line_inactive"
    if group.health == "refused":
        return "credentials"
    if group.state in ("sending", "unknown"):
        return "sending" if group.state == "sending" else "unknown"
    if group.failed:
        return "backoff"
    return "file" if group.fetching else "soon"
