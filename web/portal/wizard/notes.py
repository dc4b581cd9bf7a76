"""What a set-up keeps between two visits, and when it becomes the tenant's own. Each function is one change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Literal

from db.tenants import credentials, drafts
from db.tenants.changes import Changes
from db.tenants.drafts import OnboardingDraft
from relay.channels.base import Finding, Offer
from relay.checks.line_checks import REF, Side
from web.portal.frame.blueprint import tenant, tenant_pool
from web.portal.wizard.state import STEPS, Key, read, shown
from web.request.context import web_context
from web.request.principal import by

App = Literal["own", "platform"]


def changes() -> Changes:
    return Changes(tenant_pool(), web_context().cache.forget_routes)


def typed(side: Side, given: Mapping[str, str], app: App | None = None) -> None:
    """What was typed. What a check said of the values before is forgotten with them."""
    before = read()
    new = {name: value for name, value in given.items() if before.values(side).get(name) != value}
    chosen = app is not None and (app == "own") != before.own_app
    if not new and not chosen:
        return
    with _draft() as draft:
        draft.values[side] = {**draft.values.get(side, {}), **new}
        draft.values.get("findings", {}).pop(side, None)
        if chosen:
            draft.values["app"] = app


def findings(side: Side, found: Sequence[Finding]) -> None:
    with _draft() as draft:
        draft.values.setdefault("findings", {})[side] = shown(found)


def offers(side: Side, found: Sequence[Offer]) -> None:
    with _draft() as draft:
        kept = [(one.ref, one.name, one.status, one.webhook_url) for one in found]
        draft.values.setdefault("offers", {})[side] = kept


def pointed(side: Side) -> None:
    """The chosen one sends to us now: the list says so too."""
    held = read()
    ref, url = held.values(side)[REF[side]], held.url(side)
    offers(side, [replace(one, webhook_url=url) if one.ref == ref else one for one in held.offers(side)])


def step(key: Key) -> None:
    with _draft() as draft:
        draft.step = max(draft.step, STEPS.index(key) + 1)


def store(side: Side) -> None:
    """What was typed becomes the tenant's credentials, audited."""
    credentials.put(changes(), web_context().cipher, by(), tenant().id, side, read().values(side))
    with _draft() as draft:
        draft.values.pop(side, None)
        if side == "whatsapp":
            draft.values.pop("app", None)


def logged_in(login: Mapping[str, str]) -> None:
    """A login at Genesys is kept at once: its refresh token is given only here."""
    opened = credentials.opened(tenant_pool(), web_context().cipher, tenant().id, "genesys")
    held = dict(opened.values) if opened else {}
    credentials.put(changes(), web_context().cipher, by(), tenant().id, "genesys", {**held, **login})
    with _draft() as draft:
        left = {name: value for name, value in draft.values.get("genesys", {}).items() if name not in login}
        draft.values["genesys"] = left


def trial(values: dict[str, Any] | None) -> None:
    """The test message that is under way; None ends it."""
    with _draft() as draft:
        draft.values["trial"] = values


def _draft() -> AbstractContextManager[OnboardingDraft]:
    return drafts.changing(tenant_pool(), web_context().cipher, tenant().id)
