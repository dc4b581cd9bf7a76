"""RetentionActor: deletes what has been kept for as long as its tenant wants, a little at a time.

One daemon at a time takes a step; between two steps it pauses, longer while its loop is late: messages come first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

import structlog

from db.access import audit_chain
from db.contacts import expiry as contacts_expiry
from db.mailbox import expiry, notices
from db.mailbox.expiry import ReachedRow
from db.tenants import retention
from db.tenants.retention import OPERATOR, RetentionStep, StepResult
from relay import metrics
from relay.core import archive
from relay.core.errors import StoreError
from relay.core.retention import RetentionKind, before
from relay.runtime.regular import RegularActor
from relay.stores.objects import MEDIA_INBOUND, MEDIA_OUTBOUND, WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND

log = structlog.get_logger(__name__)

LATE_SECONDS = 0.1
"""A loop that is later than this has other things to do."""
OBJECTS_AT_ONCE = 200
LINES_AT_ONCE = 20
"""So many lines are looked at in one step where nothing has to go."""
BUCKETS: Mapping[RetentionKind, tuple[str, ...]] = {
    "webhooks": (WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND),
    "media": (MEDIA_INBOUND, MEDIA_OUTBOUND),
}


class RetentionActor(RegularActor):
    every_seconds = 60.0
    busy_seconds = 0.5

    def work(self) -> bool:
        if self._parts.pace.way.seconds(time.monotonic()) > LATE_SECONDS:
            return True
        step = retention.take(self._parts.pool)
        if step is None:
            retention.enlist(self._parts.pool)
            return False
        days = self._parts.limits.retention.days(step.days)[step.kind]
        older = before(datetime.now(UTC), days)
        try:
            result = self._do(step, older)
        except StoreError as error:
            retention.put_off(self._parts.pool, step, str(error))
            return True
        retention.done(self._parts.pool, step, result, older)
        if result.count:
            metrics.retention.labels(step.kind).inc(result.count)
            log.info("retention_step", tenant_id=step.tenant_id, kind=step.kind, count=result.count, more=result.more)
        return True

    def _do(self, step: RetentionStep, older: datetime) -> StepResult:
        if step.kind in BUCKETS:
            return self._objects(step, older)
        if step.kind == "notices":
            with self._parts.pool.transaction() as cursor:
                count = notices.expire(cursor, step.tenant_id, older)
            return StepResult(count, {}, more=count == notices.EXPIRED_AT_ONCE)
        if step.kind == "audit":
            tenant_id = None if step.tenant_id == OPERATOR else step.tenant_id
            count, after = audit_chain.end(self._parts.pool, tenant_id, older, int(step.reached.get("after", 0)))
            return StepResult(count, {"after": after}, more=count == audit_chain.SLICE)
        return self._messages(step, older)

    def _objects(self, step: RetentionStep, older: datetime) -> StepResult:
        owner = archive.OPERATOR if step.tenant_id == OPERATOR else step.tenant_id
        count, more = 0, False
        for bucket in BUCKETS[step.kind]:
            first = islice(self._parts.objects.keys(bucket, f"{owner}/"), OBJECTS_AT_ONCE)
            ended = list(takewhile(lambda key: _day(key) < f"{older:%Y/%m/%d}", first))
            self._parts.objects.delete_all(bucket, ended)
            count += len(ended)
            more = more or len(ended) == OBJECTS_AT_ONCE
        return StepResult(count, {}, more)

    def _messages(self, step: RetentionStep, older: datetime) -> StepResult:
        """The next lines in their order, until one of them has more than a step may do."""
        lines = retention.lines_of(self._parts.pool, step.tenant_id)
        reached: dict[str, Any] = {one: step.reached.get(one) for one in lines if one in step.reached}
        begun = str(step.reached.get("line", ""))
        for place, line_id in enumerate(one for one in lines if one >= begun):
            count, more = self._line(step.kind, line_id, older, reached)
            if more or count or place + 1 == LINES_AT_ONCE:
                following = line_id if more else next((one for one in lines if one > line_id), None)
                state = reached if following is None else {**reached, "line": following}
                return StepResult(count, state, more=following is not None)
        return StepResult(0, reached, more=False)

    def _line(self, kind: RetentionKind, line_id: str, older: datetime, reached: dict[str, Any]) -> tuple[int, bool]:
        ending: expiry.Ending = "history" if kind == "history" else "contents"
        with self._parts.pool.transaction() as cursor:
            found = expiry.end(cursor, line_id, ending, older, ReachedRow(*reached.get(line_id) or ()))
            reached[line_id] = astuple(found.reached)
            quiet = contacts_expiry.end(cursor, line_id, older) if ending == "history" and not found.more else 0
        return found.ended + quiet, found.more or quiet == contacts_expiry.AT_ONCE


def _day(key: str) -> str:
    """`<yyyy>/<mm>/<dd>` of a key; what has none sorts behind every day, and stays."""
    return "/".join(key.split("/")[1:4])
