"""What becomes of an event after a post that was not taken, and when an endpoint is left alone."""

from __future__ import annotations

from relay.core.errors import SendError
from relay.core.languages import phrase
from relay.core.retry import backoff

TROUBLES = 8
"""So many posts in a row may fail before the endpoint rests: all wait then, and none of them counts a try."""
LONGEST_REST = 30.0
LONGEST_PAUSE = 60.0
"""An event holds up those behind it in its conversation while the endpoint takes others; an endpoint that takes nothing
rests as a whole."""
OFF = phrase("it answered 410: gone for good")


def pause(error: SendError, attempts: int) -> float:
    """Seconds before the same event is posted again: 0.25, 0.5, 1 ... up to a minute; longer where it asks for that."""
    asked = min(error.retry_after or 0.0, 3600.0)
    return max(backoff(attempts, LONGEST_PAUSE), asked)


def rest(troubles: int) -> float:
    """Seconds before anything is posted to an endpoint again whose last `troubles` runs ended in failure."""
    return backoff(troubles + 2, LONGEST_REST)
