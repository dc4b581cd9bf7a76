"""The set-up's pages. What they show of a set-up is picked here, one by one: no secret that was saved is among it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants.credentials import SECRET, masked
from relay.channels.base import Offer
from relay.checks.line_checks import REF, Side
from web.portal.frame.blueprint import portal, tenant
from web.portal.frame.language import _, _l
from web.portal.people import confirm
from web.portal.wizard.forms import FORMS, OrganisationForm, SideForm
from web.portal.wizard.state import STEPS, Key, Setup, read
from web.request.context import web_context
from web.request.principal import needs

MADE = "relay-"
"""How secrets begin that were made here. They are shown until they are stored: somebody has to copy them."""
CAN_BE_MADE = ("webhook_secret", "verify_token")
LABELS: dict[Side, dict[str, str]] = {
    "genesys": {
        "region": _l("Region"),
        "client_id": _l("Client ID"),
        "client_secret": _l("Client secret"),
        "integration_id": _l("Integration ID"),
        "webhook_secret": _l("Webhook secret"),
        "login_client_id": _l("Log-in client"),
        "refresh_token": _l("Admin's log-in"),
    },
    "whatsapp": {
        "waba_id": _l("Business account ID"),
        "phone_number_id": _l("Phone number ID"),
        "access_token": _l("Access token"),
        "app_secret": _l("App secret"),
        "verify_token": _l("Verify token"),
    },
}
"""What the review shows of each side, and in which order."""


@portal.get("/tenants/<uuid:tenant_id>/setup")
@portal.get("/tenants/<uuid:tenant_id>/setup/<any(welcome, organisation, genesys, whatsapp, review):step>")
@needs("tenants:write")
def setup(tenant_id: object, step: Key | None = None) -> ResponseReturnValue:
    """One step; without its name the one that the tenant left off at."""
    if step in ("genesys", "whatsapp") and (ask := confirm.asked()):
        return ask
    held = read()
    if step is None:
        return redirect(url_for("portal.setup", tenant_id=tenant().id, step=current(held)))
    if step in ("genesys", "whatsapp"):
        return side_page(step)
    if step == "organisation":
        return organisation_page(
            OrganisationForm(None, name=tenant().name, contact=tenant().contact, language=tenant().language)
        )
    return page(held, step)


def current(held: Setup) -> Key:
    if held.ready and held.tenant.status != "onboarding":
        return "review"
    return STEPS[min(held.draft.step, len(STEPS)) - 1]


def page(held: Setup, step: Key, **further: Any) -> str:
    """The frame of all steps: progress, and what a step wants beside it."""
    return render_template(
        f"portal/setup/{step}.html",
        steps=held.steps(),
        step=step,
        before=STEPS[STEPS.index(step) - 1] if step != "welcome" else None,
        sides=[_at_a_glance(held, side) for side in ("genesys", "whatsapp")] if step == "review" else [],
        ready=held.ready,
        lines=held.lines,
        public_url=web_context().public_url,
        **further,
    )


def organisation_page(form: OrganisationForm) -> str:
    return page(read(), "organisation", form=form)


def side_page(side: Side, form: SideForm | None = None) -> str:
    held = read()
    values = held.values(side)
    if form is None:
        form = FORMS[side](None, data=_fields(held, side))
    offers = held.offers(side)
    form.choice.choices = {"": _("Another one: enter its ID"), **{one.ref: _label(one) for one in offers}}
    chosen = next((one for one in offers if one.ref == values.get(REF[side])), None)
    if chosen is not None and not form[REF[side]].errors:
        form.choice.data, form[REF[side]].data = chosen.ref, ""
    return page(
        held,
        side,
        form=form,
        saved={name for name in values if name in SECRET},
        made=_made(held, side),
        offers=offers,
        chosen=chosen,
        findings=held.findings(side),
        url=held.url(side),
        comes_here=chosen is not None and chosen.webhook_url in held.addresses(side),
        platform_app=bool(web_context().meta_app_secret),
        logged_in=bool(values.get("refresh_token")),
        callback=url_for("portal.connected_genesys"),
        stand_in=web_context().channels[side].stand_in,
    )


def _fields(held: Setup, side: Side) -> dict[str, str]:
    """What the form shows of what is there: no secret."""
    found = {name: value for name, value in held.values(side).items() if name not in SECRET}
    if side == "whatsapp":
        found["app"] = "own" if held.own_app else "platform"
    return found


def _made(held: Setup, side: Side) -> dict[str, str]:
    """Secrets made here that the admin still has to enter at the provider; a new one where none is there yet."""
    typed, found = held.draft.values.get(side, {}), {}
    for name in CAN_BE_MADE:
        value = typed.get(name, "")
        if value.startswith(MADE):
            found[name] = value
        elif not held.values(side).get(name) or request.args.get("new") == name:
            found[name] = MADE + secrets.token_urlsafe(24)
    return found


def _at_a_glance(held: Setup, side: Side) -> dict[str, Any]:
    shown = masked(held.values(side))
    return {
        "side": side,
        "state": held.side_state(side),
        "missing": held.missing(side),
        "name": held.name_of(side),
        "values": [(label, shown[name]) for name, label in LABELS[side].items() if name in shown],
        "url": held.url(side),
    }


def _label(one: Offer) -> str:
    return f"{one.name or one.ref} ({one.status.lower()})" if one.status else one.name or one.ref
