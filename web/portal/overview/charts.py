"""Bar charts as plain numbers, for a macro that draws them: messages by hour or day, stacked by direction. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.views.figures import TimeSlot
from relay.core.languages import Phrase, phrase

HEIGHT = 100.0
WIDTH = 20.0
"""Of one bar with its gap, in the drawing's own units: it is stretched to the width there is."""
GAP = 5.0
CAP = 3.0
"""A failure is told by a line above its bar, however small its share is."""
STEPS = (1, 2, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour or day. `x` to `cap_y` are where it is drawn, from the top left; `cap_y` None: nothing failed."""

    label: str
    inbound: int
    outbound: int
    failed: int
    x: float
    inbound_y: float
    inbound_height: float
    outbound_y: float
    outbound_height: float
    cap_y: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """`top` is what the upper edge stands for. `ticks` name every `every`th bar, from the first."""

    bars: list[Bar]
    top: int
    ticks: list[str]
    width: float
    summary: Phrase

    @property
    def empty(self) -> bool:
        return all(bar.inbound + bar.outbound == 0 for bar in self.bars)


Label = Callable[[datetime], str]


def chart(slots: Sequence[TimeSlot], label: Label, tick: Label, every: int, unit: str) -> Chart:
    """`unit` is what a bar stands for, in words: hour or day."""
    top = nice(max((slot.inbound.total + slot.outbound.total for slot in slots), default=0))
    bars = [_bar(index, slot, label(slot.start), top) for index, slot in enumerate(slots)]
    ticks = [tick(slot.start) for slot in slots[::every]]
    return Chart(bars, top, ticks, WIDTH * len(bars), _summary(bars, unit))


def nice(most: int) -> int:
    """The next number that an axis may end with: one of STEPS with noughts, an even one so that its half is whole."""
    if most <= 2:
        return 2
    power = 1
    while True:
        for step in STEPS:
            if step * power >= most and step * power % 2 == 0:
                return step * power
        power *= 10


def _bar(index: int, slot: TimeSlot, label: str, top: int) -> Bar:
    inbound = slot.inbound.total / top * HEIGHT
    outbound = slot.outbound.total / top * HEIGHT
    failed = slot.inbound.failed + slot.outbound.failed
    upper = HEIGHT - inbound - outbound
    return Bar(
        label=label,
        inbound=slot.inbound.total,
        outbound=slot.outbound.total,
        failed=failed,
        x=round(index * WIDTH + GAP / 2, 2),
        inbound_y=round(HEIGHT - inbound, 2),
        inbound_height=round(inbound, 2),
        outbound_y=round(upper, 2),
        outbound_height=round(outbound, 2),
        cap_y=round(upper - CAP - 1.5, 2) if failed else None,
    )


def _summary(bars: Sequence[Bar], unit: str) -> Phrase:
    """What somebody who cannot see it wants to know first."""
    inbound, outbound = sum(bar.inbound for bar in bars), sum(bar.outbound for bar in bars)
    failed = sum(bar.failed for bar in bars)
    count, hours = len(bars), unit == "hour"
    if not inbound + outbound:
        nothing = phrase("No messages in the last %(count)s hours.", count=count)
        return nothing if hours else phrase("No messages in the last %(count)s days.", count=count)
    what_failed = phrase("%(failed)s of them failed", failed=failed) if failed else phrase("none failed")
    came = phrase("1 message from customers") if inbound == 1 else phrase("%(n)s messages from customers", n=inbound)
    values: dict[str, Any] = {"count": count, "came": came, "outbound": outbound, "what_failed": what_failed}
    most = max(bars, key=lambda bar: bar.inbound + bar.outbound)
    values |= {"when": most.label, "most": most.inbound + most.outbound}
    if hours:
        return phrase(
            "Last %(count)s hours: %(came)s, %(outbound)s from agents, %(what_failed)s. "
            "The busiest hour was %(when)s with %(most)s.",
            **values,
        )
    return phrase(
        "Last %(count)s days: %(came)s, %(outbound)s from agents, %(what_failed)s. "
        "The busiest day was %(when)s with %(most)s.",
        **values,
    )
