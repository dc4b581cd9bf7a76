"""What has to change for a tenant to be as its file says. Each step is one of the actions that the API has, too."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from relay.cli.applying.schema import FileEndpoint, FileLine, TenantFile
from relay.cli.applying.standing import SIDES, Side, TenantStanding, own_settings
from relay.core.endpoints.kinds import KINDS
from relay.core.languages import DEFAULT

Mark = Literal["+", "~", "-"]


@dataclass(frozen=True, slots=True)
class Step:
    """`what` says which action it is and of what; `values` are for the action, and may hold secrets."""

    mark: Mark
    what: tuple[str, ...]
    text: str
    values: Mapping[str, Any]


class NotPlannedError(ValueError):
    """The file asks for something that is not done so. The text says what to do."""


def steps(now: TenantStanding, wished: TenantFile) -> list[Step]:
    """In the order in which they are done. Raises NotPlannedError."""
    return [
        *_tenant(now, wished),
        *(step for side in SIDES for step in _credentials(now, wished, side)),
        *_lines(now, wished),
        *_status(now, wished),
        *_retention(now, wished),
        *_endpoints(now, wished),
        *_webhook(now, wished),
    ]


def fingerprint(key: str, now: TenantStanding, wished: TenantFile, found: list[Step]) -> str:
    """The same as long as neither tenant nor file is changed. Keyed: nobody learns a secret from it."""
    told = [(step.mark, step.what, step.text, dict(step.values)) for step in found]
    seen = [now.tenant and now.tenant.id, now.credentials, now.line_secrets, now.webhook]
    body = json.dumps([told, seen, wished.model_dump(mode="json")], sort_keys=True, default=str)
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()[:16]


def _tenant(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if now.tenant is None:
        contact = wished.contact or ""
        yield Step("+", ("tenant", "create"), f"tenant {_told(wished.name)}", {"name": wished.name, "contact": contact})
    else:
        held = now.tenant
        contact = held.contact if wished.contact is None else wished.contact
        if (held.name, held.contact) != (wished.name, contact):
            changed = [
                f"{key} {_told(was)} -> {_told(becomes)}"
                for key, was, becomes in (("name", held.name, wished.name), ("contact", held.contact, contact))
                if was != becomes
            ]
            yield Step("~", ("tenant", "rename"), f"tenant: {', '.join(changed)}",
                       {"name": wished.name, "contact": contact})  # fmt: skip
    demanded = wished.second_factor_demanded
    if demanded is not None and demanded != (now.tenant is not None and now.tenant.second_factor_demanded):
        text = f"tenant: second_factor_demanded {_told(not demanded)} -> {_told(demanded)}"
        yield Step("~", ("tenant", "second_factor"), text, {"demanded": demanded})
    language = now.tenant.language if now.tenant else DEFAULT
    if wished.language not in (None, language):
        text = f"tenant: language {_told(language)} -> {_told(wished.language)}"
        yield Step("~", ("tenant", "language"), text, {"language": wished.language})


def _status(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if wished.paused is None:
        return
    status = now.tenant.status if now.tenant else "onboarding"
    if status == "onboarding":
        if wished.paused:
            raise NotPlannedError("paused: the tenant is not set up yet; there is nothing to pause")
    elif wished.paused != (status == "paused"):
        text = f"tenant: paused {_told(not wished.paused)} -> {_told(wished.paused)}"
        yield Step("~", ("tenant", "status"), text, {"status": "paused" if wished.paused else "active"})


def _credentials(now: TenantStanding, wished: TenantFile, side: Side) -> Iterator[Step]:
    given = getattr(wished.credentials, side)
    if given is None:
        return
    values = {name: _clear(value) for name, value in given if value is not None}
    held = now.credentials.get(side)
    if held is None:
        yield Step("+", ("credentials", side), f"credentials of {side}", values)
    elif held != values:
        names = [name for name in sorted({*held, *values}) if held.get(name) != values.get(name)]
        yield Step("~", ("credentials", side), f"credentials of {side}: {', '.join(names)} changed", values)


def _lines(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if wished.lines is None:
        return
    held = {(one.phone_number_id, one.integration_id): one for one in now.lines}
    named = {(one.phone_number_id, one.integration_id): one for one in wished.lines}
    for pair, line in held.items():
        if pair not in named:
            if line.status == "active":
                raise NotPlannedError(
                    f"the line {_pair(pair)} is live and not in the file: add it, or let it go first with "
                    f"`relay lines release {line.id}`"
                )
            yield Step("-", ("line", "remove"), f"line {_pair(pair)}", {"line_id": line.id})
    for pair, given in named.items():
        line_now = held.get(pair)
        secret = _clear(given.webhook_secret) if given.webhook_secret else None
        if line_now is None:
            yield Step("+", ("line", "create"), f"line {_pair(pair)}", _new_line(given, secret))
            continue
        if secret is not None and secret != now.line_secrets.get(line_now.id):
            yield Step("~", ("line", "create"), f"line {_pair(pair)}: webhook_secret changed",
                       {"pair": pair, "secret": secret, "settings": {}})  # fmt: skip
        if given.settings is not None:
            yield from _settings(line_now.id, pair, own_settings(line_now), _set(given))


def _new_line(given: FileLine, secret: str | None) -> dict[str, Any]:
    return {"pair": (given.phone_number_id, given.integration_id), "secret": secret, "settings": _set(given)}


def _set(given: FileLine) -> dict[str, Any]:
    return given.settings.model_dump(mode="json", exclude_none=True) if given.settings else {}


def _settings(line_id: str, pair: tuple[str, str], held: dict[str, Any], given: dict[str, Any]) -> Iterator[Step]:
    changed = {name: given.get(name) for name in sorted({*held, *given}) if held.get(name) != given.get(name)}
    if changed:
        told = ", ".join(f"{name} {_told(held.get(name))} -> {_told(given.get(name))}" for name in changed)
        yield Step("~", ("line", "configure"), f"line {_pair(pair)}: {told}",
                   {"line_id": line_id, "settings": changed})  # fmt: skip


def _retention(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if wished.retention is None:
        return
    days = wished.retention.model_dump(exclude_none=True)
    if days != now.retention:
        told = ", ".join(
            f"{kind} {_told(now.retention.get(kind))} -> {_told(days.get(kind))}"
            for kind in sorted({*days, *now.retention})
            if days.get(kind) != now.retention.get(kind)
        )
        yield Step("~", ("retention", ""), f"retention: {told}", days)


def _endpoints(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if wished.endpoints is None:
        return
    held = {one.url: one for one in now.endpoints}
    named = {one.url: one for one in wished.endpoints}
    for url, gone in held.items():
        if url not in named:
            yield Step("-", ("endpoint", "delete"), f"endpoint {_told(url)}", {"id": gone.id})
    for url, given in named.items():
        values, one = _endpoint(given), held.get(url)
        if one is None:
            yield Step("+", ("endpoint", "create"), f"endpoint {_told(url)}", {"url": url, **values})
            continue
        changed = {name: value for name, value in values.items() if getattr(one, name) != value}
        if changed:
            told = ", ".join(f"{name} {_told(getattr(one, name))} -> {_told(value)}" for name, value in changed.items())
            yield Step("~", ("endpoint", "change"), f"endpoint {_told(url)}: {told}", {"id": one.id, "values": changed})


def _endpoint(given: FileEndpoint) -> dict[str, Any]:
    kinds = [one for one in KINDS if one in (given.kinds or KINDS)]
    return {"name": given.name or "", "kinds": kinds, "contents": given.contents, "active": given.active}


def _webhook(now: TenantStanding, wished: TenantFile) -> Iterator[Step]:
    if "conditions_webhook" not in wished.model_fields_set:
        return
    url = _clear(wished.conditions_webhook) if wished.conditions_webhook else None
    if url == now.webhook:
        return
    mark: Mark = "-" if url is None else "~" if now.webhook else "+"
    yield Step(mark, ("conditions", ""), "conditions_webhook" + (" changed" if mark == "~" else ""), {"url": url})


def _clear(value: Any) -> str:
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _pair(pair: tuple[str, str]) -> str:
    return f"{pair[0]} / {pair[1]}"


def _told(value: Any) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)
