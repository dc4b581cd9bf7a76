"""What happens to web and relay: killed, stopped, restarted, frozen, parted from a server, their clocks set."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from random import Random

import gevent
import psutil

from demo.stack.child import ChildDied
from tests.chaos.plant import Part, Plant
from tests.waiting import PATIENCE


@contextmanager
def killed(plant: Plant, chance: Random, of: str, number: int) -> Iterator[None]:
    """With -9, all at the same moment."""
    chosen = _chosen(plant, chance, of, number)
    for part in chosen:
        part.away = True
    for part in chosen:
        part.kill()
    try:
        yield
    finally:
        _start(chosen)


@contextmanager
def stopped(plant: Plant, chance: Random, of: str, number: int) -> Iterator[None]:
    """As an operator does: asked, and waited for."""
    chosen = _chosen(plant, chance, of, number)
    _stop(chosen)
    try:
        yield
    finally:
        _start(chosen)


@contextmanager
def restarted(plant: Plant, chance: Random, of: str) -> Iterator[None]:
    """A rolling restart: the next one begins when the one before is ready."""
    parts = list(_chosen(plant, chance, of, len(getattr(plant, of))))
    for part in parts:
        _stop([part])
        _start([part])
    yield


@contextmanager
def frozen(plant: Plant, chance: Random, of: str) -> Iterator[None]:
    """It holds its connections and does nothing, as on a machine that swaps or is moved."""
    processes = _chosen(plant, chance, of, 1)[0].processes()
    with standing_still(processes):
        yield


@contextmanager
def parted(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """One daemon alone loses the server; nothing tells it so."""
    (wire,) = plant.wires_to(server, _chosen(plant, chance, "daemons", 1)[0].name)
    with wire.held():
        yield


@contextmanager
def started_without(plant: Plant, chance: Random, server: str) -> Iterator[None]:
    """A daemon and a web are started again while the server is away."""
    away = plant.servers[server]
    chosen = [*_chosen(plant, chance, "daemons", 1), *_chosen(plant, chance, "webs", 1)]
    away.child.stop()
    for part in chosen:
        part.away = True
        part.kill()
        part.child.start()
    try:
        yield
    finally:
        away.start()
        for part in chosen:
            part.away = False
        for part in chosen:
            _wait_ready(part)


@contextmanager
def everything_killed(plant: Plant, chance: Random) -> Iterator[None]:
    """As when the power goes, and comes back: ours and all servers at one moment, and all started at one moment."""
    ours, servers = [*plant.daemons, *plant.webs], list(plant.servers.values())
    for part in ours:
        part.away = True
    for part in (*servers, *ours):
        part.kill()
    try:
        yield
    finally:
        for part in (*servers, *ours):
            part.child.start()
        for part in servers:
            part.server.wait_ready()
        for part in ours:
            part.away = False
        for part in ours:
            _wait_ready(part)


@contextmanager
def clock_set(plant: Plant, chance: Random, of: str, ahead: bool) -> Iterator[None]:
    """By seconds or up to an hour, of one or of all; and back again."""
    seconds = math.exp(chance.uniform(math.log(2), math.log(3600)))
    parts: list[Part] = getattr(plant, of)
    with ExitStack() as stack:
        for part in _chosen(plant, chance, of, chance.choice((1, len(parts)))):
            stack.enter_context(plant.clocks[part.name].off_by(seconds if ahead else -seconds))
        yield


@contextmanager
def standing_still(processes: Sequence[psutil.Process]) -> Iterator[None]:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.suspend()
    try:
        yield
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):
                one.resume()


def _chosen(plant: Plant, chance: Random, of: str, number: int) -> list[Part]:
    parts: list[Part] = getattr(plant, of)
    return chance.sample(parts, number)


def _stop(parts: Sequence[Part]) -> None:
    for part in parts:
        part.away = True
        part.child.stop()


def _start(parts: Sequence[Part]) -> None:
    for part in parts:
        part.child.start()
        part.away = False
    for part in parts:
        _wait_ready(part)


def _wait_ready(part: Part) -> None:
    """Also when it ended at its start, since it found something away: it is started again by whoever watches."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            part.server.wait_ready()
        except ChildDied:
            if time.monotonic() >= end:
                raise
            gevent.sleep(1)
        else:
            return
