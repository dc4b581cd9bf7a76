"""TenantDeletionActor: takes a tenant out of every store, stage by stage; what fails is tried again.

The tenant was closed before (`db.tenants.deletions.close`), so that nothing new is taken in for it. Every stage may be
done twice. Between two steps it pauses, longer while its loop is late: messages come first.
"""

from __future__ import annotations

import json
import time
from itertools import islice

import psycopg2.errors
import structlog

from db.audit import Author
from db.contacts import erasing
from db.tenants import deleting, deletions, onboarding, ownership
from db.tenants.deletions import DeletionStep
from relay.actors.archive_sweep import SharedSweep, SoughtPerson
from relay.actors.retention import LATE_SECONDS, OBJECTS_AT_ONCE
from relay.broker.dead_letters import DeadLetter
from relay.broker.envelopes import Outgoing
from relay.core import erasure
from relay.core.errors import StoreError
from relay.runtime.regular import RegularActor
from relay.stores.objects import BUCKETS

log = structlog.get_logger(__name__)

RELAY = Author("relay")
CALL_SECONDS = 2.0
MOST_LETTERS = 10_000


class TenantDeletionActor(RegularActor):
    every_seconds = 30.0
    busy_seconds = 0.3

    def work(self) -> bool:
        if self._parts.pace.way.seconds(time.monotonic()) > LATE_SECONDS:
            return True
        step = deletions.take(self._parts.pool)
        if step is None:
            return False
        try:
            self._do(step)
        except StoreError as error:
            log.warning("tenant_deletion_waits", tenant_id=step.tenant_id, stage=step.stage, error=str(error))
            deletions.put_off(self._parts.pool, step, str(error))
        except Exception as error:  # noqa: BLE001 - its text may quote what is to be deleted
            log.error("tenant_deletion_failed", tenant_id=step.tenant_id, stage=step.stage, error=type(error).__name__)
            deletions.put_off(self._parts.pool, step, f"{type(error).__name__}, which is a fault of the relay")
        return True

    def _do(self, step: DeletionStep) -> None:
        if step.stage == "closed":
            # Somebody may have set a line up again; every daemon reads anew whose tenant is gone.
            for line in onboarding.listed(self._parts.pool, step.tenant_id):
                if line.status != "released":
                    ownership.release(self._parts.changes, RELAY, step.tenant_id, line.id, deletions.REASON)
            deletions.went_on(self._parts.pool, step, {}, "contacts", wait=deletions.SETTLE_SECONDS / 3)
        elif step.stage == "contacts":
            self._contacts(step)
        elif step.stage == "objects":
            count = self._objects(step)
            deletions.went_on(self._parts.pool, step, {"objects": count}, "objects" if count else "shared")
        elif step.stage == "shared":
            self._shared(step)
        elif step.stage == "waiting":
            self._waiting(step)
        elif step.stage == "rows":
            counts, place = deleting.rows(self._parts.pool, step.tenant_id, int(step.reached.get("place", 0)))
            stage: deletions.DeletionStage = "again" if place is None else "rows"
            deletions.went_on(self._parts.pool, step, counts, stage, {"place": place or 0})
        elif step.stage == "again":
            self._once_more(step)
        else:
            count, after = deleting.audit_lines(self._parts.pool, step.tenant_id, int(step.reached.get("after", 0)))
            stage = "done" if after is None else "audit"
            deletions.went_on(self._parts.pool, step, {"audit_log": count}, stage, {"after": after})

    def _contacts(self, step: DeletionStep) -> None:
        """Some conversations with their messages and files; files first: a row that is there says where they are."""
        found = deleting.contacts(self._parts.pool, step.tenant_id)
        ids, stored, calls = erasing.files(self._parts.pool, found)
        for bucket, key in stored:
            self._parts.objects.delete(bucket, key)
        counts = {"objects": len(stored), **erasing.messages(self._parts.pool, ids)}
        if not ids and not calls:
            counts |= erasing.contact(self._parts.pool, found)
        waits = CALL_SECONDS if calls and not ids else 0.0
        deletions.went_on(self._parts.pool, step, counts, "contacts" if found else "objects", wait=waits)

    def _objects(self, step: DeletionStep) -> int:
        for bucket in BUCKETS:
            keys = list(islice(self._parts.objects.keys(bucket, f"{step.tenant_id}/"), OBJECTS_AT_ONCE))
            if keys:
                self._parts.objects.delete_all(bucket, keys)
                return len(keys)
        return 0

    def _shared(self, step: DeletionStep) -> None:
        """The operator's copies of bodies in which a line of this tenant had a part."""
        sought = SoughtPerson(step.tenant_id, frozenset(), step.refs, step.begun_at, erasure.hint_of(step.refs))
        sweep = SharedSweep(self._parts.objects, self._parts.channels)
        found = sweep.step(sought, f"{step.since:%Y/%m/%d}", step.reached)
        counts = {"webhooks_rewritten": found.rewritten, "webhooks_deleted": found.deleted}
        stage: deletions.DeletionStage = "waiting" if found.reached is None else "shared"
        deletions.went_on(self._parts.pool, step, counts, stage, found.reached)

    def _waiting(self, step: DeletionStep) -> None:
        """In the broker and in Redis."""

        def dropped(letter: DeadLetter) -> Outgoing | None:
            return Outgoing("", "", b"") if _is_of(letter.body, step.tenant_id) else None

        letters = 0
        if "redis" not in step.reached:
            # Nothing is published: what is named by `dropped` is only let go of.
            letters = self._parts.dead_letters.bring_back(dropped, lambda _: None, MOST_LETTERS)[0]
        swept = self._parts.cache.drop_with(step.tenant_id, int(step.reached.get("redis", 0)))
        if swept is None:
            raise StoreError("Redis cannot be reached")
        count, reached = swept
        stage: deletions.DeletionStage = "waiting" if reached else "rows"
        counts = {"dead_letters": letters, "redis": count}
        deletions.went_on(self._parts.pool, step, counts, stage, {"redis": reached} if reached else {})

    def _once_more(self, step: DeletionStep) -> None:
        """What came in meanwhile sends it back to where that belongs; else the tenant itself goes."""
        pool = self._parts.pool
        if deleting.contacts(pool, step.tenant_id) or self._objects(step):
            deletions.went_on(pool, step, {}, "contacts")
            return
        try:
            counts = deleting.people(pool, step.tenant_id)
        except psycopg2.errors.ForeignKeyViolation:  # a daemon has noted something of it just now
            deletions.went_on(pool, step, {}, "rows")
            return
        for place in range(len(deleting.TABLES)):  # what hangs on no tenant, and was noted once more
            left = deleting.rows(pool, step.tenant_id, place)[0]
            counts |= {name: count + counts.get(name, 0) for name, count in left.items() if count}
        deletions.went_on(pool, step, counts, "audit")


def _is_of(body: bytes, tenant_id: str) -> bool:
    for line in body.splitlines():
        try:
            update = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if isinstance(update, dict) and update.get("tenant_id") == tenant_id:
            return True
    return False
