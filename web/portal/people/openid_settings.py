"""How a tenant's people log in: its OpenID provider, and whether passwords admit beside it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from db.access import openid
from db.access.openid import ProviderSettings, TenantProvider
from db.tenants.changes import NotFoundError, TakenError
from web.api.tenants.schemas import Name, Secret
from web.openid import setup
from web.portal.frame.blueprint import portal, recent, tenant, tenant_pool
from web.portal.frame.language import _, _l, offered, translated
from web.portal.frame.words import sentence
from web.portal.wizard.forms import AcceptedBy, stripped
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, by, needs, principal


class ProviderForm(FlaskForm):
    name = StringField(
        _l("What you call it"),
        [DataRequired(_l("What do your people know it as?")), Length(max=60), AcceptedBy(Name)],
        [stripped],
        _l("Stands on the button: Log in with …"),
    )
    issuer = StringField(
        _l("Issuer"),
        [DataRequired(_l("The provider's own name for itself.")), Length(max=500)],
        [stripped],
        _l("An https address, exactly as the provider writes it. Its description is looked for below it."),
    )
    client_id = StringField(
        _l("Client ID"), [DataRequired(_l("Which client?")), Length(max=255), AcceptedBy(Name)], [stripped]
    )
    client_secret = PasswordField(_l("Client secret"), [Optional(), AcceptedBy(Secret)], [stripped])
    role_claim = StringField(
        _l("Claim with the roles"),
        [DataRequired(_l("Which claim?")), Length(max=200), AcceptedBy(Name)],
        [stripped],
        _l("Such as groups; a path such as realm_access.roles, too."),
        default="groups",
    )
    admin_values = TextAreaField(_l("Values for admins"), [Length(max=10_000)], [stripped], _l("One a line."))
    viewer_values = TextAreaField(_l("Values for viewers"), [Length(max=10_000)], [stripped], _l("One a line."))
    second_factor = BooleanField(
        _l("It asks everybody for a second factor"),
        description=_l(
            "Then none is asked for here. Otherwise only an answer with mfa in its claim amr counts as one."
        ),
    )
    found_by_domain = BooleanField(
        _l("It is found by an e-mail address"),
        description=_l("Whoever types one of your domains on the log-in page then sees where you log in."),
    )
    passwords = RadioField(
        _l("Passwords"), choices=offered({"yes": _l("admit as well"), "no": _l("admit nobody")}), default="yes"
    )


@portal.get("/tenants/<uuid:tenant_id>/login", endpoint="openid")
@needs("access:read")
def openid_page(tenant_id: UUID) -> ResponseReturnValue:
    return _page(_filled(_held()))


@portal.post("/tenants/<uuid:tenant_id>/login")
@needs("access:write")
@recent
def set_openid(tenant_id: UUID) -> ResponseReturnValue:
    form, former = ProviderForm(), _held()
    if not form.client_secret.data and (former is None or former.terms.issuer != form.issuer.data):
        form.validate_on_submit()
        first = _("The first time a secret is needed.")
        form.client_secret.errors = [first if former is None else _("Another issuer takes a secret of its own.")]
        return _page(form), 400
    if not form.validate_on_submit():
        return _page(form), 400
    try:
        held = setup.put(tenant_pool(), tenant().id, _terms(form), form.client_secret.data or None)
    except (ApiError, TakenError) as error:
        _beside(form, error)
        return _page(form), 400
    _told(former, held)
    return redirect(url_for("portal.openid", tenant_id=tenant().id))


@portal.route("/tenants/<uuid:tenant_id>/login/remove", methods=["GET", "POST"])
@needs("access:write")
@recent
def remove_openid(tenant_id: UUID) -> ResponseReturnValue:
    """Asks first: whoever came in through it needs a password afterwards."""
    held = _held()
    if held is None:
        raise NotFoundError(_("this tenant has no OpenID provider"))
    if request.method == "GET":
        return render_template("portal/openid/remove.html", held=held)
    openid.remove(tenant_pool(), by(), tenant().id)
    flash(_("%(name)s logs nobody in any more. Give its people passwords.", name=held.terms.name), "success")
    return redirect(url_for("portal.openid", tenant_id=tenant().id))


@portal.post("/tenants/<uuid:tenant_id>/login/domains")
@needs(OPERATOR)
@recent
def set_openid_domains(tenant_id: UUID) -> ResponseReturnValue:
    """The operator's word: else a tenant could speak for the addresses of others."""
    try:
        found = setup.domains(request.form.get("domains", "").split())
        openid.set_domains(web_context().pool, by(), tenant().id, found)
    except (ApiError, TakenError) as error:
        flash(sentence(str(error).replace("`domains` ", "The list ")), "danger")
    else:
        flash(_("The domains are saved."), "success")
    return redirect(url_for("portal.openid", tenant_id=tenant().id))


def _held() -> TenantProvider | None:
    return openid.get(tenant_pool(), web_context().cipher, tenant().id)


def _page(form: ProviderForm) -> str:
    held = _held()
    key = held.login_key if held else setup.login_key(tenant().id)
    return render_template(
        "portal/openid/settings.html",
        held=held,
        form=form,
        domains=openid.domains(tenant_pool(), tenant().id),
        login_url=setup.login_url(key),
        redirect_uri=setup.redirect_uri(key),
        operator=principal().tenant_id is None,
        passwords_at_all=web_context().openid.passwords,
    )


def _filled(held: TenantProvider | None) -> ProviderForm:
    if held is None:
        return ProviderForm(formdata=None)
    said = held.terms
    return ProviderForm(
        formdata=None,
        name=said.name,
        issuer=said.issuer,
        client_id=said.client_id,
        role_claim=said.role_claim,
        admin_values="\n".join(said.admin_values),
        viewer_values="\n".join(said.viewer_values),
        second_factor=said.second_factor,
        found_by_domain=said.found_by_domain,
        passwords="yes" if said.passwords else "no",
    )


def _terms(form: ProviderForm) -> ProviderSettings:
    """Raises ApiError 400."""
    return ProviderSettings(
        form.name.data or "",
        form.issuer.data or "",
        form.client_id.data or "",
        form.role_claim.data or "",
        setup.values("admin_values", (form.admin_values.data or "").splitlines()),
        setup.values("viewer_values", (form.viewer_values.data or "").splitlines()),
        bool(form.found_by_domain.data),
        bool(form.second_factor.data),
        form.passwords.data != "no",
    )


def _beside(form: ProviderForm, error: ApiError | TakenError) -> None:
    """The text at the field it is about."""
    if isinstance(error, TakenError):
        form.passwords.errors = [sentence(str(error))]
        return
    name = error.details[0]["field"] if error.details else "name"
    form[name].errors = [sentence(error.message.replace(f"`{name}` ", "this "))]


def _told(former: TenantProvider | None, held: TenantProvider) -> None:
    flash(_("Saved."), "success")
    why = setup.trouble(held.terms.issuer, tenant().id)
    if why is not None:
        flash(_("But nobody can log in through it yet. %(why)s", why=translated(why)), "warning")
    elif not held.domains:
        flash(_("Nobody new can log in through it until the operator has entered your domains."), "warning")
