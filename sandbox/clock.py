"""Time as each provider writes it. One place, so that no two parts of the sandbox disagree about now."""

import time
from datetime import UTC, datetime


def unix_seconds() -> int:
    return int(time.time())


def iso_milliseconds(moment: float | None = None) -> str:
    stamp = datetime.fromtimestamp(time.time() if moment is None else moment, UTC)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{stamp.microsecond // 1000:03d}Z"


def unix_milliseconds() -> int:
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    return time.monotonic()
