"""Whose line is it? Asked for every webhook, before a tenant is known.

This process' memory (fresh for seconds), then Redis, then PostgreSQL. While PostgreSQL is away
what was once known stays usable; what nobody knows raises DatabaseError.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

import gevent
from pydantic import TypeAdapter, ValidationError

from db.pool import DatabaseError, Pool
from db.sealing import Cipher
from db.tenants import credentials, registry
from db.tenants.lines import (
    LineRoute,
    route_by_line_key,
    route_of_account,
    route_of_number,
    route_of_tenant,
    routes_by_refs,
)
from relay import even_clock
from relay.stores import keys
from relay.stores.cache import Cache

FRESH_SECONDS = 3.0
RENEWED_AFTER = 2 / 3
"""Of that. What is asked for after it is looked up in the background: no webhook of a busy line waits for a look-up."""
SHARED_FRESH_SECONDS = 60.0
"""Redis' copy is dropped on change; this bounds what happens when Redis was away just then."""
SHARED_KEPT_SECONDS = 24 * 3600.0
AWAY_SECONDS = 1.0
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class TenantHook:
    """The tenant behind /webhook/meta/<tenant key>, whether or not a line of it is active yet."""

    tenant_id: str
    verify_token: str | None = field(repr=False)
    meta_secrets: tuple[str, ...] = field(repr=False)
    account_id: str | None = None
    """Of the tenant's WhatsApp business account."""


ChannelName = Literal["whatsapp", "genesys"]
V = TypeVar("V", LineRoute, TenantHook)
Ask = Callable[[Sequence[str]], dict[str, V]]
READERS: dict[type[Any], TypeAdapter[Any]] = {model: TypeAdapter(model) for model in (LineRoute, TenantHook)}


@dataclass(slots=True)
class _CachedRoute:
    value: Any
    read_at: float
    """Unix time of PostgreSQL's answer."""
    fresh_until: float = 0.0
    """time.monotonic of this process."""
    renew_from: float = 0.0


class LineDirectory:
    """Give it a pool of its own with short deadlines: a webhook waits for it."""

    def __init__(self, pool: Pool, cipher: Cipher, shared: Cache, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._pool = pool
        self._cipher = cipher
        self._shared = shared
        self._fresh_seconds = fresh_seconds
        self._known: OrderedDict[tuple[str, str], _CachedRoute] = OrderedDict()
        self._nobodys: OrderedDict[tuple[str, str], _CachedRoute] = OrderedDict()
        self._away_until = 0.0

    def by_ref(self, channel: ChannelName, ref: str) -> LineRoute | None:
        """The active line that owns a phone_number_id or an integration id. Raises DatabaseError."""
        return self._one(LineRoute, channel, ref, self._owners(channel))

    def by_refs(
        self, channel: ChannelName, refs: Sequence[str], *, certain: bool = False
    ) -> dict[str, LineRoute | None]:
        """The same for many, each kind of store asked once. What nobody can tell just now is not in the answer.

        `certain`: PostgreSQL's own word, and not one that was true a moment ago.
        """
        return self._find(LineRoute, channel, refs, self._owners(channel), certain=certain)

    def by_line_key(self, key: str) -> LineRoute | None:
        """The active line behind /webhook/genesys/<line key>. Raises DatabaseError."""
        return self._one(LineRoute, "line-key", key, _single(partial(route_by_line_key, self._pool, self._cipher)))

    def by_tenant_key(self, key: str) -> TenantHook | None:
        """The tenant behind /webhook/meta/<tenant key>. Raises DatabaseError."""
        return self._one(TenantHook, "tenant-key", key, _single(self._tenant))

    def of_tenant(self, tenant_id: str) -> LineRoute | None:
        """The line at which news of a tenant's account are listed. Raises DatabaseError."""
        ask = _single(partial(route_of_tenant, self._pool, self._cipher))
        return self._one(LineRoute, "tenant", tenant_id, ask)

    def of_number(self, tenant_id: str, number: str) -> LineRoute | None:
        """The tenant's line of a phone number, by its digits. Raises DatabaseError."""
        ask = _single(lambda _: route_of_number(self._pool, self._cipher, tenant_id, number))
        return self._one(LineRoute, "tenant-number", f"{tenant_id}/{number}", ask)

    def of_account(self, account_id: str, number: str) -> LineRoute | None:
        """The line at which news of this WhatsApp account are listed, of whichever tenant. Raises DatabaseError."""
        ask = _single(lambda _: route_of_account(self._pool, self._cipher, account_id, number))
        return self._one(LineRoute, "account", f"{account_id}/{number}", ask)

    def close(self) -> None:
        self._pool.close()

    def _tenant(self, key: str) -> TenantHook | None:
        tenant = None if "\x00" in key else registry.by_webhook_key(self._pool, key)
        if tenant is None:
            return None
        held = credentials.opened(self._pool, self._cipher, tenant.id, "whatsapp")
        if held is None:
            return TenantHook(tenant.id, None, ())
        return TenantHook(tenant.id, held.values.get("verify_token"), held.signing, held.values.get("waba_id"))

    def _owners(self, channel: ChannelName) -> Ask[LineRoute]:
        return partial(routes_by_refs, self._pool, self._cipher, channel)

    def _one(self, model: type[V], kind: str, value: str, ask: Ask[V]) -> V | None:
        found = self._find(model, kind, [value], ask)
        if value not in found:
            raise DatabaseError(f"nobody can say whose {kind} this is while the database is away")
        return found[value]

    def _find(
        self, model: type[V], kind: str, values: Sequence[str], ask: Ask[V], *, certain: bool = False
    ) -> dict[str, V | None]:
        """Memory, then Redis, then PostgreSQL. While that is away, what was known last; else the value is left out."""
        found = {} if certain else self._remembered(model, kind, values, ask)
        left = [value for value in values if value not in found]
        return found | self._looked_up(model, kind, left, ask, certain=certain)

    def _looked_up(
        self, model: type[V], kind: str, values: Sequence[str], ask: Ask[V], *, certain: bool = False
    ) -> dict[str, V | None]:
        found: dict[str, V | None] = {} if certain else self._shared_with(model, kind, values)
        asked = [value for value in values if value not in found]
        if not asked:
            return found
        try:
            owners = self._ask(ask, asked)
        except DatabaseError:
            return found | self._last_known(model, kind, asked)
        for value in asked:
            self._keep(kind, value, _CachedRoute(owners.get(value), even_clock.now()))
            if value in owners:
                kept = {"value": asdict(owners[value]), "at": even_clock.now()}
                self._shared.remember(keys.route(kind, value), kept, SHARED_KEPT_SECONDS)
        return found | {value: owners.get(value) for value in asked}

    def _remembered(self, model: type[V], kind: str, values: Sequence[str], ask: Ask[V]) -> dict[str, V | None]:
        now, due = time.monotonic(), list[str]()
        found: dict[str, V | None] = {}
        for value in values:
            own = self._own(kind, value)
            if own is None:
                continue
            if now >= own.fresh_until:
                # One asks, the others go on with what there is for as long as that takes.
                own.fresh_until = now + 1.0
                continue
            found[value] = own.value
            if now >= own.renew_from:
                own.renew_from = own.fresh_until
                due.append(value)
        if due:
            gevent.spawn(self._looked_up, model, kind, due, ask)
        return found

    def _shared_with(self, model: type[V], kind: str, values: Sequence[str]) -> dict[str, Any]:
        """Redis' copies that are fresh: of lines only, since nobody's is nowhere else than in this memory."""
        fresh = even_clock.now() - SHARED_FRESH_SECONDS
        known = self._recall(model, kind, values)
        return {value: self._keep(kind, value, one) for value, one in known.items() if one.read_at > fresh}

    def _ask(self, ask: Ask[V], values: Sequence[str]) -> dict[str, V]:
        if time.monotonic() < self._away_until:
            raise DatabaseError("the database was away a moment ago")
        try:
            return ask(values)
        except DatabaseError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise

    def _last_known(self, model: type[V], kind: str, values: Sequence[str]) -> dict[str, Any]:
        """The newest line known of each, but no "unknown", which may have changed."""
        shared, found = self._recall(model, kind, values), {}
        for value in values:
            known = [one for one in (self._own(kind, value), shared.get(value)) if one is not None and one.value]
            if known:
                found[value] = self._keep(kind, value, max(known, key=lambda one: one.read_at))
        return found

    def _recall(self, model: type[V], kind: str, values: Sequence[str]) -> dict[str, _CachedRoute]:
        names = {keys.route(kind, value): value for value in values}
        found: dict[str, _CachedRoute] = {}
        for name, held in self._shared.recall_all(list(names)).items():
            try:
                found[names[name]] = _CachedRoute(READERS[model].validate_python(held["value"]), held["at"])
            except (ValidationError, KeyError, TypeError):
                continue  # written by another version
        return found

    def _own(self, kind: str, value: str) -> _CachedRoute | None:
        return self._known.get((kind, value)) or self._nobodys.get((kind, value))

    def _keep(self, kind: str, value: str, known: _CachedRoute) -> Any:
        """In this process' memory, lines apart from strangers' guesses: these must not push those out."""
        now = time.monotonic()
        known.fresh_until, known.renew_from = now + self._fresh_seconds, now + self._fresh_seconds * RENEWED_AFTER
        name = (kind, value)
        held, other = (self._known, self._nobodys) if known.value is not None else (self._nobodys, self._known)
        other.pop(name, None)
        held[name] = known
        held.move_to_end(name)
        if len(held) > REMEMBERED:
            held.popitem(last=False)
        return known.value


def _single(ask: Callable[[str], V | None]) -> Ask[V]:
    """For what is only ever asked one by one."""
    return lambda values: {value: found for value in values if (found := ask(value)) is not None}
