"""Which kinds of webhooks Meta sends a line, and having all of them sent. For API and portal, within a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from db import audit
from db.tenants import credentials
from db.tenants.changes import NotFoundError
from relay.channels.base import Account, FieldSubscription
from relay.channels.webhook_fields import SubscribedFields
from relay.checks import line_checks
from relay.checks.line_checks import Subject
from relay.core.errors import SendError
from web.api.tenants.checks import ours
from web.request.context import pool, web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, principal

SECONDS = 10.0
CODES = {"other_webhook", "no_app_secret", "unknown_app"}
"""Of our own: what the caller may tell from other refusals."""


def subscribed(tenant_id: str, line_id: str) -> SubscribedFields:
    """As Meta tells it now. Raises NotFoundError, ApiError 409 and 503.

    Where the operator's app posts to is not told to tenants: the address may be a system of the operator's own.
    """
    account = _account(_subject(tenant_id, line_id))
    found = _asked(lambda: _fields().subscribed(account, _deadline()))
    return found if _may_change(account) else replace(found, callback_url="")


def subscribe(tenant_id: str, line_id: str) -> SubscribedFields:
    """All that are of use here, read back and audited. Raises NotFoundError, ApiError 403, 409 and 503."""
    subject = _subject(tenant_id, line_id)
    account = _account(subject)
    urls = line_checks.expected_of(subject, ours(), "whatsapp", thorough=True).webhook_urls
    held = credentials.opened(pool(), web_context().cipher, tenant_id, "whatsapp")
    return subscribe_app(account, urls, held.values.get("verify_token", "") if held else "")


def subscribe_app(account: Account, urls: Sequence[str], own_token: str) -> SubscribedFields:
    """The same for a number that may have no line yet. The platform's app is the operator's to change.

    `urls` lead here, `own_token` is what the tenant's own app is shown to be ours by. Raises ApiError 403, 409 and 503.
    """
    if not _may_change(account):
        raise ApiError(
            403, "operators_app", "this number uses the operator's Meta app, which only the operator changes"
        )
    secret = (own_token if _own_app(account) else "") or web_context().meta_verify_token
    if not secret:
        raise ApiError(409, "no_verify_token", "no verify token is set, so Meta would not be answered; set one first")
    done = _asked(lambda: _fields().subscribe(account, _deadline(), urls, secret))
    with pool().transaction() as cursor:
        detail = {"app_id": done.app_id}
        audit.record(
            cursor, by(), "line.subscribed", tenant_id=account.tenant_id, subject=account.line_id, detail=detail
        )
    return done


def _own_app(account: Account) -> bool:
    return ours().is_own_app(account.credentials.get("app_secret", ""))


def _may_change(account: Account) -> bool:
    return _own_app(account) or principal().may(OPERATOR)


def _subject(tenant_id: str, line_id: str) -> Subject:
    found = line_checks.subjects(pool(), web_context().cipher, ours(), tenant_id, [line_id])
    if not found:
        raise NotFoundError("there is no such line")
    return found[0]


def _account(subject: Subject) -> Account:
    if subject.whatsapp is None:
        text = "there are no WhatsApp credentials yet; the portal's set-up and the API's PUT .../credentials take them"
        raise ApiError(409, "credentials_missing", text)
    return subject.whatsapp


def _fields() -> FieldSubscription:
    held = web_context().channels["whatsapp"].fields
    assert held is not None  # that Meta has fields to subscribe to is what this is about
    return held


def _asked(ask: Callable[[], SubscribedFields]) -> SubscribedFields:
    try:
        return ask()
    except SendError as error:
        if error.fate in ("credentials", "refused"):
            code = error.code if error.code in CODES else "provider_refused"
            raise ApiError(409, code, f"WhatsApp: {error.text}") from None
        text = f"WhatsApp: {error.text}; try again in a moment"
        raise ApiError(503, "provider_unavailable", text, retry_after=error.retry_after or 2) from None


def _deadline() -> float:
    return time.monotonic() + SECONDS
