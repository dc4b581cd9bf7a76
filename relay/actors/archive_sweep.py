"""Raw webhooks in the object store without one person: rewritten where they name others too, deleted where not."""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from relay.channels.base import Channel
from relay.core import archive, erasure
from relay.stores.objects import WEBHOOKS_INBOUND, WEBHOOKS_OUTBOUND, ObjectMissingError, ObjectStore

OBJECTS_AT_ONCE = 40
DAYS_AT_ONCE = 40
CHANNEL = {WEBHOOKS_INBOUND: "whatsapp", WEBHOOKS_OUTBOUND: "genesys"}


@dataclass(frozen=True, slots=True)
class SoughtPerson:
    """Of what came until `until`, all that names them, of these lines of this tenant (`refs`: ids at providers)."""

    tenant_id: str
    names: frozenset[str] = field(repr=False)
    refs: frozenset[str]
    until: datetime
    hint: Callable[[bytes], bool] = field(repr=False)


@dataclass(slots=True)
class SweepStep:
    """Objects looked at, rewritten and deleted; `reached`: where to go on, None: all days have been looked at."""

    seen: int = 0
    rewritten: int = 0
    deleted: int = 0
    reached: dict[str, Any] | None = None


class ArchiveSweep:
    def __init__(self, objects: ObjectStore, channels: Mapping[str, Channel]) -> None:
        self._objects = objects
        self._channels = channels

    def step(self, person: SoughtPerson, first_day: str, reached: Mapping[str, Any]) -> SweepStep:
        """Day by day from the first; each time so many days or objects. Raises StoreError."""
        done = SweepStep()
        begun, after = str(reached.get("day", first_day)), str(reached.get("after", ""))
        for place, day in enumerate(_days(begun, person.until)):
            if place == DAYS_AT_ONCE:
                done.reached = {"day": day}
                return done
            for bucket, key in self._objects_of(person, day):
                if f"{bucket}/{key}" <= after:
                    continue
                if done.seen == OBJECTS_AT_ONCE:
                    done.reached = {"day": day, "after": after}
                    return done
                self._look(person, bucket, key, done)
                after = f"{bucket}/{key}"
            after = ""
        return done

    def _objects_of(self, person: SoughtPerson, day: str) -> Iterator[tuple[str, str]]:
        """In order of `bucket/key`."""
        for bucket in sorted(CHANNEL):
            for owner in self._owners(person):
                for key in sorted(self._objects.keys(bucket, f"{owner}/{day}/")):
                    yield bucket, key

    def _owners(self, person: SoughtPerson) -> list[str]:
        return sorted((person.tenant_id, archive.OPERATOR))

    def _look(self, person: SoughtPerson, bucket: str, key: str, done: SweepStep) -> None:
        done.seen += 1
        try:
            with self._objects.open(bucket, key) as chunks:
                raw = b"".join(chunks)
        except ObjectMissingError:  # it has ended meanwhile
            return
        own = not key.startswith(f"{archive.OPERATOR}/")
        kept = (
            self._packed(person, bucket, raw, own)
            if key.endswith(".gz")
            else self._single(person, bucket, key, raw, own)
        )
        if kept is None:
            self._objects.delete(bucket, key)
            done.deleted += 1
        elif kept is not raw:
            mime_type = "application/gzip" if key.endswith(".gz") else "application/json"
            self._objects.put(bucket, key, io.BytesIO(kept), len(kept), mime_type)
            done.rewritten += 1

    def _single(self, person: SoughtPerson, bucket: str, key: str, raw: bytes, own: bool) -> bytes | None:
        if key.partition("/")[2] > f"{person.until.astimezone(UTC):%Y/%m/%d/%H%M%S}~":
            return raw  # somebody new's
        return self._without(person, bucket, raw, own)

    def _packed(self, person: SoughtPerson, bucket: str, raw: bytes, own: bool) -> bytes | None:
        lines, changed = [], False
        for line in gzip.decompress(raw).splitlines():
            held = json.loads(line)
            body = held["body"].encode() if "body" in held else base64.b64decode(held["body_base64"])
            late = float(held["received_at"]) > person.until.timestamp()
            kept = body if late else self._without(person, bucket, body, own)
            if kept is body:
                lines.append(line)
                continue
            changed = True
            if kept is not None:
                told = {"id": held["id"], "received_at": held["received_at"], "body": kept.decode()}
                lines.append(json.dumps(told, separators=(",", ":")).encode())
        if not changed:
            return raw
        return gzip.compress(b"\n".join(lines) + b"\n", compresslevel=3, mtime=0) if lines else None

    def _without(self, person: SoughtPerson, bucket: str, raw: bytes, own: bool) -> bytes | None:
        """Of a body that belongs to several tenants only this tenant's part is touched."""
        part = None if own else partial(self._part, CHANNEL[bucket], set(person.refs))
        return erasure.without_in_text(raw, person.names.__contains__, person.hint, part)

    def _part(self, channel: str, refs: set[str], body: Any, pruned: erasure.Pruned) -> Any:
        return self._channels[channel].rewrite(body, refs, pruned)


class SharedSweep(ArchiveSweep):
    """Without one tenant: of the operator's copies, those in which a line of it (`refs`) has a part.

    The tenants that shared one have their own parts of it.
    """

    def _owners(self, person: SoughtPerson) -> list[str]:
        return [archive.OPERATOR]

    def _without(self, person: SoughtPerson, bucket: str, raw: bytes, own: bool) -> bytes | None:
        if not person.hint(raw):
            return raw
        try:
            part = self._channels[CHANNEL[bucket]].keep(json.loads(raw), set(person.refs))
        except (ValueError, RecursionError):
            return None
        return None if (part.get("entry") if isinstance(part, dict) and "entry" in part else part) else raw


def _days(first: str, until: datetime) -> Iterator[str]:
    day, last = date.fromisoformat(first.replace("/", "-")), until.astimezone(UTC).date()
    while day <= last:
        yield f"{day:%Y/%m/%d}"
        day += timedelta(days=1)
