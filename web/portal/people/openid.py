"""Log in through an OpenID provider: the installation's, or the one of a tenant. There by a link, back with a code.

Only links lead there: a form's answer may not, by the pages' policy.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug import Response
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from db.access import openid, openid_people, sessions
from db.access.openid_people import NotAdmittedError
from db.access.users import User
from db.audit import Author
from db.sealing import SealError
from db.tenants import registry
from web.openid import exchange, people, providers, setup
from web.openid.errors import OpenIdError
from web.openid.exchange import LoginAttempt
from web.openid.providers import INSTALLATION, OpenIdProvider
from web.portal.frame.blueprint import portal, public
from web.portal.frame.language import _l
from web.portal.people import entrance
from web.request import limits, refusals
from web.request.context import web_context
from web.request.errors import ApiError, request_id
from web.request.principal import ANYONE, needs

log = structlog.get_logger(__name__)
BEGUN = "openid"
REMEMBERED = "relay-log-in"
REMEMBERED_SECONDS = 180 * 24 * 3600
NO_SUCH_PAGE = _l("there is no log-in at this address; ask whoever gave it to you for the right one")
CANCELLED = _l("You cancelled the log-in at the provider, or it did not let you in.")


class FindForm(FlaskForm):
    email = StringField("E-mail address", validators=[DataRequired(_l("Enter your address.")), Length(max=254)])


@portal.get("/login/<login_key>")
@public
def begin_openid(login_key: str) -> ResponseReturnValue:
    """Off to the provider: `openid` is the installation's, any other key a tenant's.

    Not for whoever is logged in: a link, or the page wanted at the log-in, would lead them out of the portal, to
    wherever a tenant's provider stands, and back as somebody else.
    """
    if current_user.is_authenticated:
        return redirect(url_for("portal.home"))
    limits.stranger_at_login()
    provider = _provider(login_key)
    return _off_to(provider, entrance.wanted_page())


@portal.get("/login/<login_key>/callback")
@public
def end_openid(login_key: str) -> ResponseReturnValue:
    """Where the provider sends the browser back to. Whatever came of it is said in words."""
    limits.stranger_at_login()
    provider = _provider(login_key)
    begun = _begun()
    if begun is None or not exchange.is_ours(begun, provider, request.args):
        log.warning("openid_refused", reason="stale", tenant_id=provider.tenant_id)
        return _refused(provider, exchange.STALE, 400)
    try:
        claims = _claims(provider, begun)
        user = _user(provider, claims)
    except (OpenIdError, NotAdmittedError) as error:
        log.warning("openid_refused", reason=error.code, tenant_id=provider.tenant_id, issuer=_host(provider))
        known = isinstance(error, NotAdmittedError) or error.code == "no_role"
        return _refused(provider, str(error), 403, known=known)
    if begun.again is not None:
        return _proved_again(provider, user, begun)
    answer = entrance.proved(user, begun.wanted, second_factor=people.showed_second_factor(provider, claims))
    if entrance.half_way() is None and current_user.is_authenticated:
        # A provider may log somebody in who showed it hours ago who they are.
        sessions.prove(web_context().pool, current_user.session.id, exchange.logged_in_at(claims))
    return _remembering(answer, provider)


@portal.get("/confirm/provider")
@needs(ANYONE)
def confirm_openid() -> ResponseReturnValue:
    """Off to the person's own provider, which is to ask them again who they are."""
    identity = openid_people.identity_of(web_context().pool, current_user.user.id)
    provider = None if identity is None else _provider_of(identity[0])
    if identity is None or provider is None or provider.issuer != identity[1]:
        raise ApiError(404, "not_found", "no provider vouches for you; use your password")
    return _off_to(provider, entrance.wanted_page(), again=current_user.user.id)


@portal.route("/login/find", methods=["GET", "POST"])
@public
def find_openid() -> ResponseReturnValue:
    """Whose provider an e-mail address leads to. Tenants that do not want to be found this way are not."""
    form = FindForm()
    if not form.validate_on_submit():
        answer = render_template("portal/openid/find.html", form=form)
        return (answer, 400) if form.errors else answer
    limits.stranger_at_login()
    domain = (form.email.data or "").strip().rpartition("@")[2]
    held = openid.by_domain(web_context().pool, web_context().cipher, domain)
    if held is None:
        form.email.errors = ["No organisation can be found by this address. Ask yours for its own log-in address."]
        return render_template("portal/openid/find.html", form=form), 404
    url = url_for("portal.begin_openid", login_key=held.login_key, next=entrance.wanted_page())
    return render_template("portal/openid/found.html", url=url, host=urlsplit(held.terms.issuer).hostname)


def choices() -> list[tuple[str, str]]:
    """(name, address) of the providers that the log-in page offers: the installation's, and the browser's last one."""
    found = [provider for provider in (_installation(), _remembered()) if provider is not None]
    wanted = entrance.wanted_page()
    return [(one.name, url_for("portal.begin_openid", login_key=one.login_key, next=wanted)) for one in found]


@portal.context_processor
def _for_the_log_in() -> dict[str, Any]:
    return {
        "log_in_choices": choices,
        "passwords": lambda: web_context().openid.passwords,
        "vouched_for": lambda: openid_people.identity_of(web_context().pool, current_user.user.id) is not None,
    }


def _proved_again(provider: OpenIdProvider, user: User, begun: LoginAttempt) -> ResponseReturnValue:
    """Only whoever is logged in here has shown anything by it."""
    if not current_user.is_authenticated or not current_user.user.id == user.id == begun.again:
        return _refused(provider, "Somebody else has logged in at the provider.", 403, known=True)
    sessions.prove(web_context().pool, current_user.session.id)
    return redirect(begun.wanted or url_for("portal.home"))


def _provider_of(tenant_id: str | None) -> OpenIdProvider | None:
    return (
        _installation()
        if tenant_id is None
        else _of_tenant(openid.get(web_context().pool, web_context().cipher, tenant_id))
    )


def _off_to(provider: OpenIdProvider, wanted: str | None, again: str | None = None) -> ResponseReturnValue:
    try:
        url, begun = (
            web_context()
            .openid.exchange(provider)
            .begin(provider, setup.redirect_uri(provider.login_key), wanted, again)
        )
    except OpenIdError as error:
        log.warning("openid_unavailable", reason=error.code, tenant_id=provider.tenant_id, issuer=_host(provider))
        return _refused(provider, f"The log-in cannot begin. {error}", 502)
    session[BEGUN] = web_context().cipher.seal(asdict(begun))
    return redirect(url)


def _begun() -> LoginAttempt | None:
    """What this browser keeps of a log-in, once."""
    sealed = session.pop(BEGUN, None)
    if not isinstance(sealed, str):
        return None
    try:
        return LoginAttempt(**web_context().cipher.open(sealed))
    except (SealError, TypeError):
        return None


def _claims(provider: OpenIdProvider, begun: LoginAttempt) -> dict[str, Any]:
    """Audited when it proves nobody, since it was begun here. Raises OpenIdError."""
    try:
        if "error" in request.args:
            raise OpenIdError("cancelled", str(CANCELLED))
        claims = (
            web_context()
            .openid.exchange(provider)
            .finish(provider, setup.redirect_uri(provider.login_key), begun, request.args)
        )
        if not openid_people.come_back(web_context().pool, begun.state, exchange.SECONDS):
            raise OpenIdError("repeated", exchange.STALE)
    except OpenIdError as error:
        if limits.granted(refusals.OF_STRANGERS, "openid"):  # nobody is proved: strangers must not fill the audit log
            openid_people.note_refusal(
                web_context().pool, _by(provider), provider.tenant_id, provider.issuer, error.code
            )
        raise
    return claims


def _user(provider: OpenIdProvider, claims: dict[str, Any]) -> User:
    """Audited when it is nobody who may. Raises OpenIdError and NotAdmittedError."""
    try:
        return openid_people.admit(web_context().pool, _by(provider), people.vouched(provider, claims))
    except (OpenIdError, NotAdmittedError) as error:
        # A provider may vouch for as many people as it likes: they must not fill the audit log either.
        openid_people.turn_away(
            web_context().pool, _by(provider), provider.tenant_id, provider.issuer, claims["sub"], error.code,
            told=limits.granted(refusals.OF_TENANT, provider.tenant_id or "operator"),
        )  # fmt: skip
        raise


def _by(provider: OpenIdProvider) -> Author:
    return Author(f"OpenID {_host(provider)}", request_id())


def _host(provider: OpenIdProvider) -> str:
    return urlsplit(provider.issuer).hostname or "?"


def _provider(login_key: str) -> OpenIdProvider:
    """Raises ApiError 404, the same for whatever is nobody's."""
    found = (
        _installation()
        if login_key == INSTALLATION
        else _of_tenant(openid.by_login_key(web_context().pool, web_context().cipher, login_key))
    )
    if found is None:
        raise ApiError(404, "not_found", str(NO_SUCH_PAGE))
    return found


def _installation() -> OpenIdProvider | None:
    return web_context().openid.installation


def _of_tenant(held: openid.TenantProvider | None) -> OpenIdProvider | None:
    return None if held is None else providers.of_tenant(held)


def _remembering(answer: Response, provider: OpenIdProvider) -> Response:
    """The log-in page of this browser offers the tenant's provider from now on."""
    if provider.tenant_id is not None:
        answer.set_cookie(
            REMEMBERED, provider.login_key, max_age=REMEMBERED_SECONDS, path="/portal/login",
            secure=web_context().public_url.startswith("https:"), httponly=True, samesite="Lax",
        )  # fmt: skip
    return answer


def _remembered() -> OpenIdProvider | None:
    key = request.cookies.get(REMEMBERED, "")
    return (
        _of_tenant(openid.by_login_key(web_context().pool, web_context().cipher, key)) if 0 < len(key) <= 64 else None
    )


def _refused(provider: OpenIdProvider, text: str, status: int, *, known: bool = False) -> ResponseReturnValue:
    """Says whom to ask. `known`: a tenant's provider has vouched for this person, so the tenant's contact is told."""
    held = registry.get(web_context().pool, provider.tenant_id) if provider.tenant_id and known else None
    page = render_template(
        "portal/openid/refused.html",
        text=text,
        provider=provider,
        known=known,
        contact=held.contact if held else "",
        request_id=request_id(),
    )
    return page, status
