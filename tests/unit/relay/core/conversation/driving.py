"""A conversation driven by hand: its reads are answered at once, the rest of what it wants is kept to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from relay.core.conversation import effects as do
from relay.core.conversation import events
from relay.core.conversation.conversation import Conversation
from relay.core.conversation.hold import Holds
from relay.core.mailbox import Row, RowStatus, Verdict
from relay.core.messages import Direction
from tests.unit.relay.core.conversation.rows import MAPPING, NO_HOLD, NOW, PLACE, row_status

E = TypeVar("E")


class Driven:
    """`rows` and `reports` are what PostgreSQL says when it is asked; None: it is away."""

    def __init__(self, *rows: Row, holds: Holds = NO_HOLD, mapping: Any = MAPPING, **settings: Any) -> None:
        self.conversation = Conversation("c", PLACE)
        self.rows: Sequence[Row] | None = rows
        self.reports: Sequence[RowStatus] = ()
        self.now, self.holds, self.mapping, self.settings = NOW, holds, mapping, settings
        self.done: list[do.Effect] = []
        self.reads = 0
        self.tell(events.Wake("c"))

    def tell(self, event: events.Event) -> list[do.Effect]:
        """What it wants done now, reads left out."""
        found: list[do.Effect] = []
        for effect in self.conversation.on(event, self.now, self.holds):
            if isinstance(effect, do.ReadRows):
                self.reads += 1
                found += self.tell(self._read())
            else:
                found.append(effect)
                self.done.append(effect)
        return found

    def _read(self) -> events.RowsRead | events.RowsNotRead:
        if self.rows is None:
            return events.RowsNotRead()
        lanes: dict[Direction, list[Row]] = {"inbound": [], "outbound": []}
        for one in self.rows:
            lanes[one.direction].append(one)
        return events.RowsRead(self.mapping, lanes, self.reports)

    def arrive(self, *rows: Row) -> list[do.Effect]:
        return self.tell(events.Arrived(MAPPING, rows))

    def turn(self, lane: events.LaneName = "outbound") -> do.Effect:
        """The effect that uses up the turn, or wants something known first."""
        effects = self.tell(events.TurnGranted(lane, self.settings, "turn"))
        [used] = [one for one in effects if getattr(one, "turn", None) == "turn"]
        return used

    def dispatch(self, lane: Direction = "outbound") -> str:
        used = self.turn(lane)
        assert isinstance(used, do.StartDispatch), used
        return used.job.message_id

    def ended(self, name: str, state: str = "sent", verdict: Verdict | None = None, **more: Any) -> list[do.Effect]:
        return self.tell(events.OutcomeWritten(name, row_status(name, state), verdict, **more))

    def wait(self, seconds: float) -> list[do.Effect]:
        """Time passes, and the alarms of that time go off."""
        until, found = self.now + seconds, list[do.Effect]()
        while alarms := sorted(one.at for one in self.of(do.SetAlarm) if one.at <= until):
            self.now = max(self.now, alarms[0])
            self.done.remove(do.SetAlarm(alarms[0]))
            found += self.tell(events.Alarm(alarms[0]))
        self.now = until
        return found

    def of(self, kind: type[E]) -> list[E]:
        return [one for one in self.done if isinstance(one, kind)]

    def asked(self) -> list[str]:
        """For which lanes turns were asked for since this was last looked at."""
        lanes = [one.lane for one in self.of(do.AskForTurn)]
        self.done = [one for one in self.done if not isinstance(one, do.AskForTurn)]
        return list(lanes)
