"""What kind of trouble an error of Redis is: the one place that judges it. Whatever it is, it costs speed only."""

from __future__ import annotations

import re
from typing import Literal

from redis import exceptions

Kind = Literal["unreachable", "timeout", "loading", "busy", "refused", "no_primary", "read_only", "full", "command"]

CLASSES: tuple[tuple[type[exceptions.RedisError], Kind], ...] = (
    (exceptions.BusyLoadingError, "loading"),
    (exceptions.AuthenticationError, "refused"),
    (exceptions.AuthorizationError, "refused"),
    (exceptions.NoPermissionError, "refused"),
    (exceptions.TimeoutError, "timeout"),
    (exceptions.MasterDownError, "no_primary"),
    (exceptions.ClusterDownError, "no_primary"),
    (exceptions.ReadOnlyError, "read_only"),
    (exceptions.OutOfMemoryError, "full"),
    (exceptions.ConnectionError, "unreachable"),
)
# Within a script Redis says the same in other words, around its own.
WORDS: dict[str, Kind] = {
    "OOM": "full",
    "MISCONF": "full",  # it cannot write to its disk
    "NOREPLICAS": "read_only",
    "READONLY": "read_only",
    "MASTERDOWN": "no_primary",
    "CLUSTERDOWN": "no_primary",
    "LOADING": "loading",
    "BUSY": "busy",
    "NOAUTH": "refused",
    "NOPERM": "refused",
}
WORD = re.compile(rf"\b({'|'.join(WORDS)})\b")

STILL_READS: tuple[Kind, ...] = ("read_only", "full", "command")
"""Redis answers, and what is in it can be read: nobody has to stay away from it."""
ANOTHER_SERVER: tuple[Kind, ...] = ("read_only", "no_primary", "loading", "refused")
"""Behind the same name there may be another server by now, or another password."""

ADVICE: dict[Kind, str] = {
    "unreachable": "start it, or see the way to it",
    "timeout": "see what keeps it busy, and the way to it",
    "loading": "nothing, where it passes: it is starting",
    "busy": "nothing, where it passes: somebody's script runs",
    "full": "raise maxmemory, or let maxmemory-policy be allkeys-lru; MISCONF: make room on its disk",
    "read_only": "let REDIS_URL lead to the primary",
    "no_primary": "see why there is no primary",
    "refused": "compare REDIS_URL with its users and passwords",
    "command": "this version of Redis does not do what is asked of it, or a key holds what is not ours",
}


def kind_of(error: exceptions.RedisError | UnicodeDecodeError) -> Kind:
    """By its class, else by the word that Redis begins its answer with. What cannot be decoded is not ours."""
    for one, kind in CLASSES:
        if isinstance(error, one):
            return kind
    said = WORD.search(str(error))
    return WORDS[said[1]] if said else "command"
