"""ErasureActor: takes everything that names a person out of every store, stage by stage; what fails is tried again.

The conversation was stopped when the erasure was asked for (`db.contacts.erasures.begin`). Every stage may be done
twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from db.contacts import erasing, erasures, tombstones
from db.contacts.erasures import SETTLE_SECONDS, ErasureStep
from db.tenants import onboarding, retention
from relay.actors.archive_sweep import ArchiveSweep, SoughtPerson
from relay.actors.retention import LATE_SECONDS
from relay.broker.dead_letters import DeadLetter
from relay.broker.envelopes import Outgoing
from relay.core import erasure
from relay.core.errors import StoreError
from relay.runtime.regular import RegularActor
from relay.stores import keys

log = structlog.get_logger(__name__)

CALL_SECONDS = 2.0
"""So long a call under way is waited for before it is looked at again."""
MOST_LETTERS = 10_000


class ErasureActor(RegularActor):
    every_seconds = 5.0
    busy_seconds = 0.3
    _expire_at = 0.0

    def work(self) -> bool:
        if self._parts.pace.way.seconds(time.monotonic()) > LATE_SECONDS:
            return True
        step = erasures.take(self._parts.pool, self._parts.cipher)
        if step is None:
            self._expire()
            return False
        try:
            self._do(step)
        except StoreError as error:
            log.warning("erasure_waits", erasure_id=step.id, stage=step.stage, error=str(error))
            erasures.put_off(self._parts.pool, step, str(error))
        except Exception as error:  # noqa: BLE001 - its text may quote what is to be erased
            log.error("erasure_failed", erasure_id=step.id, stage=step.stage, error=type(error).__name__)
            erasures.put_off(self._parts.pool, step, f"{type(error).__name__}, which is a fault of the relay")
        return True

    def _expire(self) -> None:
        if time.monotonic() >= self._expire_at:
            self._expire_at = time.monotonic() + 3600.0
            tombstones.expire(self._parts.pool)

    def _do(self, step: ErasureStep) -> None:
        if step.stage == "stop":
            waited = (datetime.now(UTC) - step.asked_at).total_seconds()
            erasures.went_on(self._parts.pool, step, {}, "messages", wait=max(0.0, SETTLE_SECONDS - waited))
        elif step.stage == "messages":
            self._messages(step)
        elif step.stage == "contact":
            if told := erasing.told(self._parts.pool, step.person.conversations):
                erasures.went_on(self._parts.pool, step, {"endpoint_events": told}, "contact")
                return
            counts = erasing.contact(self._parts.pool, step.person.conversations)
            self._forget(step, step.person.conversations)
            erasures.went_on(self._parts.pool, step, counts, "waiting")
        elif step.stage == "waiting":
            self._waiting(step)
        elif step.stage == "archive":
            self._archive(step)
        else:
            self._once_more(step)

    def _messages(self, step: ErasureStep) -> None:
        ids, counts, calls = self._some_messages(step.person.conversations)
        if ids or calls:
            erasures.went_on(self._parts.pool, step, counts, "messages", wait=0.0 if ids else CALL_SECONDS)
        else:
            erasures.went_on(self._parts.pool, step, counts, "contact")

    def _some_messages(self, conversations: Sequence[str]) -> tuple[list[str], dict[str, int], int]:
        """Files first: a row that is there still says where they are."""
        ids, stored, calls = erasing.files(self._parts.pool, conversations)
        for bucket, key in stored:
            self._parts.objects.delete(bucket, key)
        return ids, {"files": len(stored), **erasing.messages(self._parts.pool, ids)}, calls

    def _forget(self, step: ErasureStep, conversations: Sequence[str]) -> None:
        """Values in Redis live for a minute; their names hold numbers."""
        lines = retention.lines_of(self._parts.pool, step.tenant_id)
        names = [keys.mapping(step.tenant_id, line, name) for line in lines for name in step.person.names]
        self._parts.cache.drop([*names, *(keys.conversation(step.tenant_id, one) for one in conversations)])

    def _waiting(self, step: ErasureStep) -> None:
        named = {*_forms(step), *step.person.conversations}.__contains__
        after = step.reached
        news, next_notice = erasing.notices(self._parts.pool, step.tenant_id, int(after.get("notice", 0)), named)
        kept, next_unknown = erasing.unknown(self._parts.pool, step.tenant_id, int(after.get("unknown", 0)), named)
        counts = {"line_notices": news, "unknown_lines": kept}
        if next_notice is not None or next_unknown is not None:
            end = 2**62
            reached = {"notice": next_notice or end, "unknown": next_unknown or end}
            erasures.went_on(self._parts.pool, step, counts, "waiting", reached)
            return
        counts["parked_receipts"] = erasing.parked(self._parts.pool, step.tenant_id, named)
        counts["dead_letters"] = self._dead_letters(step)
        erasures.went_on(self._parts.pool, step, counts, "archive")

    def _dead_letters(self, step: ErasureStep) -> int:
        names, hint = frozenset(step.person.names), erasure.hint_of(step.person.names)

        def dropped(letter: DeadLetter) -> Outgoing | None:
            return (
                Outgoing("", "", b"") if hint(letter.body) and _tells_of(letter.body, step.tenant_id, names) else None
            )

        # Nothing is published: what is named by `dropped` is only let go of.
        return self._parts.dead_letters.bring_back(dropped, lambda _: None, MOST_LETTERS)[0]

    def _archive(self, step: ErasureStep) -> None:
        lines = onboarding.listed(self._parts.pool, step.tenant_id)
        person = SoughtPerson(
            step.tenant_id,
            _forms(step),
            # Anybody may name another tenant's number in a line that nothing has proved.
            frozenset(ref for line in lines if line.proven_at for ref in (line.phone_number_id, line.integration_id)),
            step.asked_at,
            erasure.hint_of(step.person.names),
        )
        found = ArchiveSweep(self._parts.objects, self._parts.channels).step(
            person, step.person.first_day, step.reached
        )
        counts = {"webhooks_seen": found.seen, "webhooks_rewritten": found.rewritten, "webhooks_deleted": found.deleted}
        if found.reached is None:
            erasures.went_on(self._parts.pool, step, counts, "again")
        else:
            erasures.went_on(self._parts.pool, step, counts, "archive", found.reached)

    def _once_more(self, step: ErasureStep) -> None:
        """What was taken in by a daemon that had not heard of it yet, and what has come into Redis since."""
        late = erasing.came_back(self._parts.pool, step.tenant_id, step.person.names, step.asked_at)
        left = [*step.person.conversations, *late]
        ids, counts, calls = self._some_messages(left)
        if ids or calls:
            erasures.went_on(self._parts.pool, step, counts, "again", wait=0.0 if ids else CALL_SECONDS)
            return
        if told := erasing.told(self._parts.pool, left):
            erasures.went_on(self._parts.pool, step, {"endpoint_events": told}, "again")
            return
        for place, count in erasing.contact(self._parts.pool, left).items():
            counts[place] = counts.get(place, 0) + count
        if erasing.any_left(self._parts.pool, left):  # they wrote while it was being deleted
            erasures.went_on(self._parts.pool, step, counts, "again", wait=CALL_SECONDS)
            return
        self._forget(step, [*step.person.conversations, *late])
        erasures.went_on(self._parts.pool, step, counts, "done")


def _forms(step: ErasureStep) -> frozenset[str]:
    return frozenset(form for name in step.person.names for form in erasure.spellings(name))


def _tells_of(body: bytes, tenant_id: str, names: frozenset[str]) -> bool:
    """Whether it is an update of this tenant that names the person. What says of no tenant whose it is, stays."""
    for line in body.splitlines():
        try:
            update = json.loads(line)
        except (ValueError, RecursionError):
            return False
        own = isinstance(update, dict) and update.get("tenant_id") == tenant_id
        if own and erasure.without(update, names.__contains__) != update:
            return True
    return False
