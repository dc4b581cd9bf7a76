"""Whose line is it? Asked for every webhook, before a tenant is known.

This process' memory (fresh for seconds), then Redis, then PostgreSQL. While PostgreSQL is away
what was once known stays usable; what nobody knows raises DatabaseError.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from db import credentials, tenants
from db.lines import LineRoute, route_by_line_key, route_by_ref, route_of_tenant
from db.pool import DatabaseError, Pool
from db.sealing import Cipher
from relay.stores import keys
from relay.stores.cache import Cache

FRESH_SECONDS = 3.0
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


V = TypeVar("V", LineRoute, TenantHook)
READERS: dict[type[Any], TypeAdapter[Any]] = {model: TypeAdapter(model) for model in (LineRoute, TenantHook)}


@dataclass(slots=True)
class _Known:
    value: Any
    read_at: float
    """Unix time of PostgreSQL's answer."""
    fresh_until: float
    """time.monotonic of this process."""


class LineDirectory:
    """Give it a pool of its own with short deadlines: a webhook waits for it."""

    def __init__(self, pool: Pool, cipher: Cipher, shared: Cache, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._pool = pool
        self._cipher = cipher
        self._shared = shared
        self._fresh_seconds = fresh_seconds
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._away_until = 0.0

    def by_ref(self, channel: Literal["whatsapp", "genesys"], ref: str, *, certain: bool = False) -> LineRoute | None:
        """The active line that owns a phone_number_id or an integration id. Raises DatabaseError.

        `certain`: "unknown" only as PostgreSQL's own word, and not from a moment ago.
        """
        if certain:
            self._known.pop((channel, ref), None)
        return self._find(LineRoute, channel, ref, lambda: route_by_ref(self._pool, self._cipher, channel, ref))

    def by_line_key(self, key: str) -> LineRoute | None:
        """The active line behind /webhook/genesys/<line key>. Raises DatabaseError."""
        return self._find(LineRoute, "line-key", key, lambda: route_by_line_key(self._pool, self._cipher, key))

    def by_tenant_key(self, key: str) -> TenantHook | None:
        """The tenant behind /webhook/meta/<tenant key>. Raises DatabaseError."""
        return self._find(TenantHook, "tenant-key", key, lambda: self._tenant(key))

    def of_tenant(self, tenant_id: str) -> LineRoute | None:
        """The line at which news of a tenant's account are listed. Raises DatabaseError."""
        return self._find(LineRoute, "tenant", tenant_id, lambda: route_of_tenant(self._pool, self._cipher, tenant_id))

    def knows(self, kind: Literal["line-key", "tenant-key"], key: str) -> bool:
        """Whether somebody has this webhook address, as far as is known without asking PostgreSQL."""
        own = self._known.get((kind, key))
        return (own is not None and own.value is not None) or self._shared.recall(keys.route(kind, key)) is not None

    def close(self) -> None:
        self._pool.close()

    def _tenant(self, key: str) -> TenantHook | None:
        tenant = None if "\x00" in key else tenants.by_webhook_key(self._pool, key)
        if tenant is None:
            return None
        held = credentials.opened(self._pool, self._cipher, tenant.id, "whatsapp")
        if held is None:
            return TenantHook(tenant.id, None, ())
        return TenantHook(tenant.id, held.values.get("verify_token"), held.signing, held.values.get("waba_id"))

    def _find(self, model: type[V], kind: str, value: str, ask: Callable[[], V | None]) -> V | None:
        own = self._known.get((kind, value))
        now = time.monotonic()
        if own is not None and now < own.fresh_until:
            return own.value
        if own is not None:
            # One asks, the others go on with what there is for as long as that takes.
            own.fresh_until = now + 1.0
        shared = self._recall(model, kind, value)
        if shared is not None and time.time() - shared.read_at < SHARED_FRESH_SECONDS:
            return self._keep(kind, value, shared)
        try:
            found = self._ask(ask)
        except DatabaseError:
            return self._last_known(kind, value, own, shared)
        if found is not None:
            kept = {"value": asdict(found), "at": time.time()}
            self._shared.remember(keys.route(kind, value), kept, SHARED_KEPT_SECONDS)
        return self._keep(kind, value, _Known(found, time.time(), 0.0))

    def _ask(self, ask: Callable[[], V | None]) -> V | None:
        if time.monotonic() < self._away_until:
            raise DatabaseError("the database was away a moment ago")
        try:
            return ask()
        except DatabaseError:
            self._away_until = time.monotonic() + AWAY_SECONDS
            raise

    def _last_known(self, kind: str, value: str, own: _Known | None, shared: _Known | None) -> Any:
        """While PostgreSQL is away: the newest line known, but no "unknown", which may have changed."""
        known = [one for one in (own, shared) if one is not None and one.value is not None]
        if not known:
            raise DatabaseError(f"nobody can say whose {kind} this is while the database is away")
        return self._keep(kind, value, max(known, key=lambda one: one.read_at))

    def _recall(self, model: type[V], kind: str, value: str) -> _Known | None:
        held = self._shared.recall(keys.route(kind, value))
        try:
            return None if held is None else _Known(READERS[model].validate_python(held["value"]), held["at"], 0.0)
        except (ValidationError, KeyError, TypeError):
            return None  # written by another version

    def _keep(self, kind: str, value: str, known: _Known) -> Any:
        known.fresh_until = time.monotonic() + self._fresh_seconds
        self._known[kind, value] = known
        self._known.move_to_end((kind, value))
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return known.value
