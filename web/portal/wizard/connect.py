"""Connecting Genesys by an admin's login: there by a link with state and PKCE, back with a code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from flask import flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from db.tenants import registry
from relay.core.errors import SendError
from web.portal.frame.blueprint import portal, recent, tenant
from web.portal.frame.language import _, _l, translated
from web.portal.wizard import notes
from web.portal.wizard.state import Setup, read
from web.request import consent
from web.request.context import pool, web_context
from web.request.principal import admit, needs

BEGUN = "genesys_login"
BEGUN_SECONDS = 900
SECONDS = 10.0
NEEDED = ("region", "login_client_id", "login_client_secret")
STALE = _l("This log-in was not begun in this browser, or too long ago. Begin it again under Set-up > Genesys.")


@portal.get("/tenants/<uuid:tenant_id>/setup/login")
@needs("tenants:write")
@recent
def connect_genesys(tenant_id: object) -> ResponseReturnValue:
    """Says what will happen, and links to Genesys. A form could not lead there: the page's policy forbids it."""
    held = read()
    if any(not held.values("genesys").get(name) for name in NEEDED):
        flash(_("Enter the region and the log-in client first."), "warning")
        return _to_step(held.tenant.id)
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    session[BEGUN] = {"tenant": held.tenant.id, "state": state, "verifier": verifier, "at": time.time()}
    try:
        url = (
            web_context()
            .channels["genesys"]
            .login_url(held.account("genesys"), callback(), state, _challenge(verifier))
        )
    except SendError as error:
        flash(f"Genesys: {translated(error.text)}.", "danger")
        return _to_step(held.tenant.id)
    return render_template("portal/setup/connect.html", url=url, host=urlsplit(url).hostname, steps=held.steps())


@portal.get("/connect/genesys/callback")
@needs("tenants:write", without_consent=True)  # its address names no tenant: asked below
def connected_genesys() -> ResponseReturnValue:
    """Where Genesys sends the admin back to. Whatever came of it is said in words."""
    begun = session.pop(BEGUN, None)
    if not _is_ours(begun):
        flash(str(STALE), "warning")
        return redirect(url_for("portal.home"))
    g.tenant = registry.get(pool(), admit(begun["tenant"]))
    if g.tenant is None:
        flash(_("The tenant of this log-in is gone."), "warning")
        return redirect(url_for("portal.home"))
    consent.check_of(g.tenant.id)
    flash(*_outcome(read(), begun["verifier"]))
    return _to_step(tenant().id)


def callback() -> str:
    """What has to be among the authorized redirect URIs of the OAuth client."""
    return web_context().public_url + url_for("portal.connected_genesys")


def _is_ours(begun: Any) -> bool:
    given = request.args.get("state", "")
    if not begun or time.time() - begun["at"] > BEGUN_SECONDS:
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), begun["state"].encode())


def _outcome(held: Setup, verifier: str) -> tuple[str, str]:
    """What to say of it, and in which colour."""
    if error := request.args.get("error"):
        return _no(error), "warning"
    code = request.args.get("code", "")
    if not code:
        return _("Genesys sent no code. Log in again."), "warning"
    try:
        channel, deadline = web_context().channels["genesys"], time.monotonic() + SECONDS
        login = channel.login(held.account("genesys"), code, callback(), verifier, deadline)
    except SendError as trouble:
        return _(
            "The log-in did not work. %(trouble)s. Nothing was changed; log in again.", trouble=trouble.text
        ), "danger"
    values = held.values("genesys")
    notes.logged_in({name: values[name] for name in NEEDED} | {"refresh_token": login.refresh_token})
    return _("You are logged in at Genesys. Now choose an integration, or have one made."), "success"


def _no(error: str) -> str:
    if error == "access_denied":
        return _("You cancelled the log-in, or your user may not do this at Genesys. Nothing was changed.")
    known = error.isascii() and error.replace("_", "").isalnum() and len(error) <= 60
    named = f" ({error})" if known else ""
    return _(
        "Genesys refused the log-in%(named)s. Check the client's grant type and redirect URI, then log in again.",
        named=named,
    )


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _to_step(tenant_id: str) -> ResponseReturnValue:
    return redirect(url_for("portal.setup", tenant_id=tenant_id, step="genesys"))
