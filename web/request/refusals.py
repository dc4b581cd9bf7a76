"""Who was refused, as the audit log tells it: log-ins, keys, and what somebody asked for without the right to.

Whoever is refused can be refused often, so each thing is told at once, and then once in ten minutes with the number of
times since. Strangers, and each tenant's people and programs, may cause so many lines a minute and no more: they
neither fill the table nor hide what others do.
"""

from __future__ import annotations

from typing import Any, Literal

import structlog
from flask import Flask, Response, g, request

from db import audit
from db.access.users import User
from db.audit import Author
from db.pool import DatabaseError
from web import metrics
from web.request import limits
from web.request.context import web_context
from web.request.errors import request_id
from web.request.limits import Limit
from web.request.principal import by, principal

log = structlog.get_logger(__name__)

Action = Literal["login.refused", "key.refused", "access.denied"]
OF_STRANGERS = Limit("audit-strangers", 10)
OF_TENANT = Limit("audit-denied", 30)
SOMEBODY = "somebody"
OF_KEYS = ("/api/", "/auth/", "/state/", "/genesys/", "/whatsapp/", "/tenants")
"""Where programs ask with keys."""


def register(app: Flask) -> None:
    app.after_request(_look)


def login(user: User | None, what: str) -> None:
    """A password or a code that was not right, or not looked at. What was typed as an e-mail address is not kept: it
    may have been a password.
    """
    tenant_id, subject = (user.tenant_id, user.id) if user is not None else (None, "")
    _note("login.refused", _somebody(), tenant_id, subject, OF_STRANGERS, "all", {"what": what})


def _look(response: Response) -> Response:
    if response.status_code == 401 and request.path.startswith(OF_KEYS) and "principal" not in g:
        _note("key.refused", _somebody(), None, "", OF_STRANGERS, "all", {})
    elif "principal" in g and (response.status_code == 403 or g.get("foreign_tenant")):
        _denied(response)
    return response


def _denied(response: Response) -> None:
    own = principal().tenant_id
    detail = {"rule": _rule(), "method": request.method, "status": response.status_code}
    if g.get("foreign_tenant"):
        detail["asked_for"] = f"tenant {g.foreign_tenant}"
    _note("access.denied", by(), own, principal().id, OF_TENANT, own or "operator", detail)


def _note(
    action: Action, who: Author, tenant_id: str | None, subject: str, limit: Limit, whose: str, detail: dict[str, Any]
) -> None:
    """Best effort: a refusal stays one while PostgreSQL is away."""
    metrics.refusals.labels(action).inc()
    address = limits.address()
    thing = (action, who.actor, tenant_id or "", subject, address, *(str(one) for one in detail.values()))
    untold = web_context().refusals
    times = untold.happened(thing)
    if not times:
        return
    if not limits.granted(limit, whose):
        untold.not_told(thing)
        return
    try:
        with web_context().pool.transaction() as cursor:
            told = {**detail, "address": address, "times": times}
            audit.record(cursor, who, action, tenant_id=tenant_id, subject=subject, detail=told)
        untold.told(thing)
    except DatabaseError as error:
        untold.not_told(thing)
        log.warning("refusal_not_noted", action=action, reason=str(error))


def _somebody() -> Author:
    return Author(SOMEBODY, request_id())


def _rule() -> str:
    """Not the path: it may hold what should not be kept."""
    return request.url_rule.rule if request.url_rule else "(none)"
