"""A pytest plugin: several pytest processes, the lanes, share one set of test modules, and each module is run by one.

Every lane collects all tests and asks for the next module when it has finished one, so that none waits for a slower
one. A lane begins at its own place in the list, so that neighbours, which share servers and an installation, mostly
meet in one lane.

A lane's environment: `TEST_LANE`, as in `1/3`, and `TEST_LANES_FOLDER`, where they take their modules. Without them
nothing changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

LANE, FOLDER = "TEST_LANE", "TEST_LANES_FOLDER"


def environment(lane: int, lanes: int, folder: Path) -> dict[str, str]:
    """Of the process that is to be this lane, counted from 1."""
    return {LANE: f"{lane}/{lanes}", FOLDER: str(folder)}


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """As pytest's own, over what this lane gets."""
    if LANE not in os.environ or session.config.option.collectonly:
        return None
    if session.testsfailed and not session.config.option.continue_on_collection_errors:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    items = _mine(session.items, os.environ[LANE], Path(os.environ[FOLDER]))
    item = next(items, None)
    while item is not None:
        # Asked for before this one ends: by what comes next pytest knows which fixtures to take down.
        following = next(items, None)
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def _mine(items: list[pytest.Item], lane: str, folder: Path) -> Iterator[pytest.Item]:
    number, lanes = map(int, lane.split("/"))
    found: dict[Path, list[pytest.Item]] = {}
    for item in items:
        found.setdefault(item.path, []).append(item)
    modules = list(found.values())
    first = len(modules) * (number - 1) // lanes
    for module in modules[first:] + modules[:first]:
        if _taken(module[0].nodeid.partition("::")[0], folder):
            yield from module


def _taken(module: str, folder: Path) -> bool:
    """Whether this lane is the first to ask for it."""
    try:
        (folder / module.replace(os.sep, "-")).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
