"""Which version this is, and which others may serve the same installation beside it. Pure.

Versions are x.y.z. What has the same x.y is one release: within it nothing is taken away from the database. While an
installation is upgraded two releases that follow each other run side by side; more never do.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "0.3.0"
PREVIOUS = "0.2.0"
"""The newest version of the release before."""
UNTOLD = "0.2.0"
"""Daemons up to this version do not tell theirs."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process that serves an installation. `previous`: the release before its own; "" where it does not tell."""

    kind: str
    """web or daemon"""
    name: str
    version: str = VERSION
    previous: str = PREVIOUS

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of version {self.version}"


def order(version: str) -> tuple[int, ...]:
    """To compare versions by. ValueError: not x.y.z."""
    return tuple(int(part) for part in version.split("."))


def release(version: str) -> tuple[int, ...]:
    return order(version)[:2]


def side_by_side(one: Program, other: Program) -> bool:
    """Whether both may be at work at the same time: one release, or one the next after the other's."""
    older, newer = sorted((one, other), key=lambda program: order(program.version))
    if release(older.version) == release(newer.version):
        return True
    return bool(newer.previous) and release(newer.previous) <= release(older.version)
