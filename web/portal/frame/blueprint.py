"""The blueprint all pages are on, and the guard before every one of them."""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, current_app, g, redirect, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from db.pool import Pool
from db.tenants import registry
from db.tenants.registry import Tenant
from web.request import consent
from web.request.consent import ClosedError
from web.request.context import pool, pool_of
from web.request.errors import ApiError
from web.request.principal import admit, check_right, principal, right_of

portal = Blueprint("portal", __name__, url_prefix="/portal")

CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Bootstrap's own icons are data URLs in its style sheet
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PUBLIC = "public"
"""The right of a page that is shown before the log-in."""
ALWAYS = ("portal.logout", "portal.end_sessions", "portal.read_news")
BEFORE_THE_CHANGE = ("portal.account", "portal.change_password", *ALWAYS)
"""What works while a password of somebody else's choice is still to be changed."""
BEFORE_THE_FACTOR = ("portal.set_up_factor", "portal.confirm", *ALWAYS)
"""What works while a second factor that is demanded is still to be set up."""


def public(view: Any) -> Any:
    view.right = PUBLIC
    return view


def self_proving(view: Any) -> Any:
    """Marks a view before the log-in whose address itself proves what may be done: mail programs post there, without
    having seen the page's form.
    """
    view.self_proving = True
    return public(view)


def recent(view: Any) -> Any:
    """Marks a view before which its person has to have shown lately who they are (web/portal/people/confirm.py)."""
    view.recent = True
    return view


@portal.before_request
def guard() -> Response | None:
    """Every page but the log-in wants a user, the view's right, and for changes the token of its form."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in ("POST", "PUT", "PATCH", "DELETE") and not getattr(view, "self_proving", False):
        cast(CSRFProtect, current_app.extensions["csrf"]).protect()
    if right_of(request.endpoint) == PUBLIC:
        return None
    if not current_user.is_authenticated:
        # Only a page is worth coming back to.
        back = request.full_path.rstrip("?") if request.method == "GET" and not _is_fragment() else None
        return redirect(url_for("portal.login", next=back)) if not _is_fragment() else _ended()
    g.principal = current_user.principal
    check_right()
    first = _to_be_done_first()
    if first is not None:
        return redirect(url_for(first))
    try:
        consent.check()
    except ClosedError as closed:
        if request.method != "GET" or _is_fragment():
            raise
        return redirect(url_for("portal.visits", tenant_id=closed.tenant_id))
    g.tenant = _tenant()
    return None


def _to_be_done_first() -> str | None:
    """The page that somebody who is logged in has to do with before any other."""
    held = current_user.session
    if held.user.must_change:
        return "portal.account" if request.endpoint not in BEFORE_THE_CHANGE else None
    if held.demanded and not held.second_factor:
        return "portal.set_up_factor" if request.endpoint not in BEFORE_THE_FACTOR else None
    return None


def _is_fragment() -> bool:
    """A script of ours asks for a part of a page."""
    return request.headers.get("X-Fragment") == "1"


def _ended() -> Response:
    """The script then loads the page anew, which leads to the log-in."""
    return Response(status=401)


def _tenant() -> Tenant | None:
    """The tenant in the page's address. Somebody else's does not exist: ApiError 404."""
    tenant_id = (request.view_args or {}).get("tenant_id")
    if tenant_id is None:
        return None
    found = registry.get(pool(), admit(str(tenant_id)))
    if found is None:
        raise ApiError(404, "not_found", "there is no such tenant")
    return found


def tenant() -> Tenant:
    """The tenant whose page this is."""
    found: Tenant = g.tenant
    return found


def tenant_pool() -> Pool:
    """The database as this page may see it: the rows of one's own tenant, for an operator those of the page's.

    Guarded by PostgreSQL itself: whatever an address says, nobody leaves their own tenant here.
    """
    return pool_of(principal().tenant_id or (g.tenant.id if g.get("tenant") is not None else None))


@portal.after_request
def protect(response: Response) -> Response:
    # A file that a customer sent brings a stricter one.
    response.headers.setdefault("Content-Security-Policy", CSP)
    # Forms are checked against the page they came from.
    response.headers["Referrer-Policy"] = "same-origin"
    return response
