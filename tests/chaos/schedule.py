"""What happens when: a seed gives the same sequence of troubles, with the same lengths, each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import gevent

from tests.chaos.catalogue import EVERYWHERE, Kind
from tests.chaos.plant import Plant
from tests.waiting import DeadlinePassed, wait_until

GAP_SECONDS = (2.0, 6.0)
CATCH_UP_SECONDS = 20.0
"""So long the next trouble waits for what is behind. A send to WhatsApp without an answer takes 40 s to be repeated: \
what stands behind it may meet the next trouble as well."""
BEHIND = """SELECT count(*) AS n FROM message_tracking
            WHERE state IN ('received', 'sending', 'unknown') AND created_at < now() - interval '5 seconds'"""
PAIRS = 0.4
"""So often two things happen together, each at its own time."""
LONG = ((0.02, 120.0), (0.1, 30.0))
"""(share up to which, seconds): how many of the outages are no short ones."""


@dataclass(frozen=True)
class Stroke:
    kind: Kind
    after: float
    """Seconds since the beginning of its step."""
    seconds: float
    seed: int


@dataclass(frozen=True)
class Happened:
    """Times are Unix seconds. At `end` the repair begins, at `ready` the part is well again."""

    kind: Kind
    begin: float
    end: float
    ready: float
    step: int


Step = tuple[float, Sequence[Stroke]]
"""How long it is quiet before it, and what happens in it."""


def steps(seed: int, kinds: Sequence[Kind]) -> Iterator[Step]:
    """Without an end. Every kind comes once before any comes twice."""
    chance = Random(seed)
    bag: list[Kind] = []
    while True:
        chosen = [_next(bag, kinds, chance)]
        if chance.random() < PAIRS and (other := _elsewhere(bag, chosen[0])):
            chosen.append(other)
        yield chance.uniform(*GAP_SECONDS), [_stroke(kind, place, chance) for place, kind in enumerate(chosen)]


def _next(bag: list[Kind], kinds: Sequence[Kind], chance: Random) -> Kind:
    if not bag:
        bag.extend(chance.sample(list(kinds), len(kinds)))
    return bag.pop()


def _elsewhere(bag: list[Kind], first: Kind) -> Kind | None:
    for kind in bag:
        if kind.where != first.where and EVERYWHERE not in (kind.where, first.where):
            bag.remove(kind)
            return kind
    return None


def _stroke(kind: Kind, place: int, chance: Random) -> Stroke:
    after = chance.uniform(0.0, 4.0) if place else 0.0
    return Stroke(kind, after, _seconds(kind, chance), chance.randrange(1_000_000))


def _seconds(kind: Kind, chance: Random) -> float:
    drawn, usual = chance.random(), chance.uniform(*kind.seconds)
    if not kind.outage:
        return usual
    return next((seconds for share, seconds in LONG if drawn < share), usual)


def run(plant: Plant, sequence: Iterator[Step], until: float, say: Callable[[str], None]) -> list[Happened]:
    """Until this time (Unix seconds); what has begun is brought to its end."""
    happened: list[Happened] = []
    for number, (gap, strokes) in enumerate(sequence):
        gevent.sleep(gap)
        if time.time() >= until:
            break
        under_way = [gevent.spawn(_strike, plant, one, number) for one in strokes]
        say(" and ".join(f"{one.kind.name} ({one.seconds:.1f} s)" for one in strokes))
        gevent.joinall(under_way)
        happened += [one.get() for one in under_way]
        _catch_up(plant)
    return happened


def _catch_up(plant: Plant) -> None:
    """The next trouble begins when this one is over for everybody, or has had its time: else it would be anybody's."""
    with suppress(DeadlinePassed):
        wait_until(lambda: not plant.installation.rows(BEHIND)[0]["n"], CATCH_UP_SECONDS, interval=0.5)


def _strike(plant: Plant, stroke: Stroke, step: int) -> Happened:
    gevent.sleep(stroke.after)
    begin = time.time()
    with stroke.kind.trouble(plant, Random(stroke.seed)):
        gevent.sleep(stroke.seconds)
        end = time.time()
    return Happened(stroke.kind, begin, end, time.time(), step)
