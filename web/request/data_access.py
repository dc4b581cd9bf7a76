"""Looks at personal data, in the audit log: written before anything is shown, once in a while per person and thing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from db import audit
from web.request.context import pool_of, web_context
from web.request.principal import by, principal


def record_once(tenant_id: str | None, thing: Hashable, action: str, subject: str = "", **detail: Any) -> None:
    """What cannot be noted is not shown. The same person at the same `thing` is one look for a while."""
    look = (principal().id, thing)
    if not web_context().looks.due(look):
        return
    try:
        record(tenant_id, action, subject, **detail)
    except Exception:
        web_context().looks.forget(look)
        raise


def record(tenant_id: str | None, action: str, subject: str = "", **detail: Any) -> None:
    """For what is worth a line each time. Without a tenant it is a look at what is nobody's yet."""
    with pool_of(tenant_id).transaction() as cursor:
        audit.record(cursor, by(), action, tenant_id=tenant_id, subject=subject, detail=detail)
