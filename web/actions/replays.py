"""Beginning a replay. For API and portal, within a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from db.mailbox import replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.mailbox.replays import ReplayJob
from web.request.context import pool_of
from web.request.errors import wrong_field
from web.request.principal import by, principal


def begin(wanted: DeadLetterSelection, ids: Sequence[str] | None = None) -> ReplayJob:
    """As `db.mailbox.replays.start`. Raises ApiError 400 where a line has to be named."""
    return replays.start(pool_of(wanted.tenant_id), by(), _of_one_line(wanted), ids)


def _of_one_line(wanted: DeadLetterSelection) -> DeadLetterSelection:
    """The daemons that put messages back know the replay alone, not whose lines are whose: it names a line itself."""
    lines = principal().line_ids
    if lines is None or wanted.line_id is not None:
        return wanted
    if len(lines) != 1:
        raise wrong_field("line_id", "must name one of your lines: your rights are for some of them")
    return replace(wanted, line_id=lines[0])
