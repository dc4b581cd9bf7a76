"""How often Python looks for garbage that refers to itself. Everything else goes at once, by its reference count."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""Objects more than there were before it looks among the newest. A message leaves no cycle behind: by the usual 700
the daemon looked once for every fifteen messages, which took it a thirteenth of its time. A look at everything holds up
a web worker for a tenth of a second, and whoever asks it something meanwhile."""
OLD = 10
"""Looks at the newest before it looks at what survived one, and of these before it looks at everything."""


def look_seldom() -> None:
    """First of all: while code is read little of it becomes garbage, and looking for it took a sixth of a start."""
    gc.set_threshold(YOUNG, OLD, OLD)


def settle() -> None:
    """Once all is started: what is there now, mostly code, stays for good and is never looked at again."""
    gc.collect()
    gc.freeze()
