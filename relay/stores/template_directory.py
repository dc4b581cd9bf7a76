"""What is known of templates, where a message passes: this process' memory for seconds, then Redis; never PostgreSQL.

Filled by whoever read a tenant's list. What is not found is not known: it is sent as it is, and Meta decides.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from relay.core.messages import dump, load
from relay.core.templates.listed import SURE_SECONDS, ListedTemplate
from relay.stores import keys
from relay.stores.cache import Cache

FRESH_SECONDS = 10.0
REMEMBERED = 500
"""Names in this process' memory; those that nobody knows count."""
KEPT_SECONDS = 3 * 3600.0
"""Longer than it takes until the list is read anew; a change that nobody told ends with it."""
LONGEST = 256 * 1024
"""Bytes of all languages of one name; what is larger is not kept."""


class TemplateDirectory:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._own: OrderedDict[tuple[str, str], tuple[float, tuple[ListedTemplate, ...]]] = OrderedDict()

    def of_name(self, tenant_id: str, name: str) -> tuple[ListedTemplate, ...]:
        """Every language of the template that is known. One look-up in Redis at most, bounded as all of them are."""
        held = self._own.get((tenant_id, name))
        if held is not None and time.monotonic() < held[0]:
            return held[1]
        kept = self._cache.recall(keys.template(tenant_id, name))
        found = _read(kept.get("languages")) if kept else ()
        if kept and not time.time() < _number(kept.get("sure_until")):
            found = tuple(replace(one, doubtful=True) for one in found)
        self._own[tenant_id, name] = (time.monotonic() + FRESH_SECONDS, found)
        self._own.move_to_end((tenant_id, name))
        if len(self._own) > REMEMBERED:
            self._own.popitem(last=False)
        return found

    def keep(self, tenant_id: str, listed: Sequence[ListedTemplate], gone: Iterable[str]) -> None:
        """A tenant's whole list as it is now, and the names that are there no more."""
        by_name: dict[str, list[ListedTemplate]] = {}
        for one in listed:
            by_name.setdefault(one.name, []).append(one)
        for name, languages in by_name.items():
            whole = dump(languages).decode()
            kept = whole if len(whole) <= LONGEST else "[]"
            known = {"languages": kept, "sure_until": time.time() + SURE_SECONDS}
            self._cache.remember(keys.template(tenant_id, name), known, KEPT_SECONDS)
        names = list(gone)
        self._cache.forget(keys.template(tenant_id, name) for name in names)
        for name in (*by_name, *names):
            self._own.pop((tenant_id, name), None)


def _number(kept: object) -> float:
    return float(kept) if isinstance(kept, (int, float)) else 0.0


def _read(kept: object) -> tuple[ListedTemplate, ...]:
    try:
        return load(tuple[ListedTemplate, ...], kept) if isinstance(kept, str) else ()
    except ValueError:
        return ()  # written by another version
