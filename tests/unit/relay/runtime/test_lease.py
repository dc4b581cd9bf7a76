"""The last look before a request's first byte: may this daemon still send?"""

from __future__ import annotations

import time

import pytest

from db.daemons.lease import SILENT_SECONDS
from relay.core.errors import SendError
from relay.runtime.context import Lease


def lease(*, left: float = 60.0, renewed_ago: float = 0.0) -> Lease:
    now = time.monotonic()
    return Lease("d", now + left, now - renewed_ago)


def test_a_daemon_sends_while_its_lease_lasts_and_nobody_can_have_found_it_dead() -> None:
    lease(renewed_ago=SILENT_SECONDS / 2).check()


@pytest.mark.parametrize("over", [lease(left=-0.1), lease(renewed_ago=SILENT_SECONDS + 0.1)])
def test_it_begins_no_call_once_others_may_have_taken_its_shards(over: Lease) -> None:
    with pytest.raises(SendError, match="lease_lost"):
        over.check()
