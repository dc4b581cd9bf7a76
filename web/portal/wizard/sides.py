"""The steps Genesys and WhatsApp: what their buttons do. Every POST keeps what was typed, whatever comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from relay.channels.base import Offer
from relay.checks import line_checks
from relay.checks.line_checks import Side
from relay.core.errors import SendError
from web.actions import webhook_fields
from web.portal.frame.blueprint import portal, recent, tenant
from web.portal.frame.language import _, _l, _n, translated
from web.portal.wizard import notes
from web.portal.wizard.forms import FORMS, SideForm
from web.portal.wizard.pages import side_page
from web.portal.wizard.state import Setup, Shown, ours, read, shown
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import needs

Answer = TypeVar("Answer")
SECONDS = 10.0
NEXT: dict[Side, str] = {"genesys": "whatsapp", "whatsapp": "review"}
PROVIDER: dict[Side, str] = {"genesys": _l("Genesys"), "whatsapp": _l("WhatsApp")}
THING: dict[Side, str] = {"genesys": _l("Open Messaging integration"), "whatsapp": _l("number")}
TO_ASK: dict[Side, tuple[str, ...]] = {
    "genesys": ("region", "client_id", "client_secret"),
    "whatsapp": ("waba_id", "access_token"),
}
"""What it takes to ask a provider for its list."""


@portal.post("/tenants/<uuid:tenant_id>/setup/genesys")
@needs("tenants:write")
@recent
def setup_genesys(tenant_id: object) -> ResponseReturnValue:
    return _posted("genesys")


@portal.post("/tenants/<uuid:tenant_id>/setup/whatsapp")
@needs("tenants:write")
@recent
def setup_whatsapp(tenant_id: object) -> ResponseReturnValue:
    return _posted("whatsapp")


def _posted(side: Side) -> ResponseReturnValue:
    form = FORMS[side]()
    valid = form.validate_on_submit()
    given = form.given(side, former=read().values(side).get(line_checks.REF[side]))
    notes.typed(side, given, form.app.data if "app" in form else None)
    if not valid:
        return _incomplete(side, form)
    do = request.form.get("do", "save")
    known = DO_AT_GENESYS if side == "genesys" else DO_AT_META
    return known.get(do, _save)(side, form)


def _incomplete(side: Side, form: SideForm, names: tuple[str, ...] = ()) -> ResponseReturnValue:
    """The same page, with a word at each field that is wrong or that is missing."""
    for name in names:
        form[name].errors = [*form[name].errors, _("This is needed.")]
    if _is_fragment():
        fields = ", ".join(str(field.label.text) for field in form if field.errors)
        return render_template("portal/setup/_incomplete.html", fields=fields)
    return side_page(side, form), 400


def _later(side: Side, form: SideForm) -> ResponseReturnValue:
    flash(_("Saved. Go on whenever you like: Set-up opens where you left it."), "success")
    return redirect(url_for("portal.home"))


def _list(side: Side, form: SideForm) -> ResponseReturnValue:
    setup = read()
    missing = tuple(name for name in TO_ASK[side] if not setup.values(side).get(name))
    # An admin's log-in is as good as the client that carries the messages.
    if missing and not (side == "genesys" and _has_login(setup)):
        return _incomplete(side, form, missing)
    found = _asked(side, lambda: web_context().channels[side].offers(setup.account(side), _deadline()))
    if found is None:
        return _back(side)
    notes.offers(side, found)
    if not found:
        flash(_("%(provider)s has no %(thing)s for you yet.", provider=PROVIDER[side], thing=THING[side]), "warning")
    return _back(side, "choose")


def _test(side: Side, form: SideForm) -> ResponseReturnValue:
    setup = read()
    if missing := setup.missing(side):
        return _incomplete(side, form, tuple(missing))
    found = _checked(setup, side)
    if _is_fragment():
        return render_template("portal/setup/_findings.html", findings=found)
    return _back(side, "findings")


def _save(side: Side, form: SideForm) -> ResponseReturnValue:
    """Tested first. What the provider refuses waits in the draft; a warning keeps nobody from going on."""
    setup = read()
    if missing := setup.missing(side):
        return _incomplete(side, form, tuple(missing))
    found = _checked(setup, side)
    levels = [level for _, level, _, _ in found]
    if "refused" in levels:
        flash(
            _(
                "%(provider)s says no to this: see below what to do. What you entered is saved.",
                provider=PROVIDER[side],
            ),
            "danger",
        )
        return _back(side, "findings")
    notes.store(side)
    notes.step(NEXT[side])  # type: ignore[arg-type]
    count = levels.count("warning")
    text = _("%(provider)s is connected.", provider=PROVIDER[side])
    if count:
        text += " " + _n(
            "%(num)s warning, which you see again under Review.",
            "%(num)s warnings, which you see again under Review.",
            count,
        )
    flash(text, "warning" if count else "success")
    return redirect(url_for("portal.setup", tenant_id=tenant().id, step=NEXT[side]))


def _connect(side: Side, form: SideForm) -> ResponseReturnValue:
    """The webhook is pointed here. Stored first: the provider may try the address at once."""
    setup = read()
    if missing := setup.missing(side):
        return _incomplete(side, form, tuple(missing))
    if side == "whatsapp" and not _verify_token(setup):
        flash(
            _("The operator has set no META_VERIFY_TOKEN, so Meta would not be answered. Tell the operator."), "danger"
        )
        return _back(side)
    if any(level == "refused" for _, level, _, _ in _checked(setup, side)):
        flash(
            _(
                "%(provider)s says no to this: see below what to do. Nothing was changed there.",
                provider=PROVIDER[side],
            ),
            "danger",
        )
        return _back(side, "findings")
    notes.store(side)
    setup, secret = read(), _webhook_secret(setup, side)
    done = _asked(side, lambda: _pointed(setup, side, secret))
    if done:
        notes.pointed(side)
        _checked(setup, side)
        flash(
            _(
                "Done: %(provider)s sends to this relay now. What the test says of it is below.",
                provider=PROVIDER[side],
            ),
            "success",
        )
    return _back(side)


def _pointed(setup: Setup, side: Side, secret: str) -> bool:
    web_context().channels[side].connect(setup.account(side), _deadline(), setup.url(side), secret)
    return True


def _subscribe(side: Side, form: SideForm) -> ResponseReturnValue:
    """All webhook fields of use. Stored first: Meta tries the address before it takes the list."""
    setup = read()
    if missing := setup.missing(side):
        return _incomplete(side, form, tuple(missing))
    if any(level == "refused" for _, level, _, _ in _checked(setup, side)):
        flash(
            _(
                "%(provider)s says no to this: see below what to do. Nothing was changed there.",
                provider=PROVIDER[side],
            ),
            "danger",
        )
        return _back(side, "findings")
    notes.store(side)
    setup = read()
    account = setup.subject().whatsapp
    assert account is not None  # nothing is missing
    try:
        webhook_fields.subscribe_app(account, setup.addresses(side), setup.values(side).get("verify_token", ""))
    except ApiError as error:
        flash(_("Nothing was changed at Meta: %(error)s.", error=translated(error.message)), "danger")
        return _back(side)
    _checked(setup, side)
    flash(_("Done: your app is subscribed to every webhook field that is of use here."), "success")
    return _back(side)


def _create(side: Side, form: SideForm) -> ResponseReturnValue:
    """A new integration at Genesys, with our address and secret from its first moment."""
    setup = read()
    held = setup.values(side)
    needed = ("region", "webhook_secret") if _has_login(setup) else (*TO_ASK["genesys"], "webhook_secret")
    if missing := tuple(name for name in needed if not held.get(name)):
        return _incomplete(side, form, missing)
    name = request.form.get("name", "").strip()[:100] or f"WhatsApp {tenant().name}"

    def make() -> Offer:
        return (
            web_context()
            .channels[side]
            .create(setup.account(side), _deadline(), name, setup.url(side), held["webhook_secret"])
        )

    made = _asked(side, make)
    if made is not None:
        notes.offers(side, [*(one for one in setup.offers(side) if one.ref != made.ref), made])
        notes.typed(side, {"integration_id": made.ref})
        flash(
            _("Genesys has made the integration %(name)s. It sends to this relay already.", name=made.name), "success"
        )
    return _back(side)


def _log_in(side: Side, form: SideForm) -> ResponseReturnValue:
    held = read().values(side)
    names = ("region", "login_client_id", "login_client_secret")
    if missing := tuple(name for name in names if not held.get(name)):
        return _incomplete(side, form, missing)
    return redirect(url_for("portal.connect_genesys", tenant_id=tenant().id))


DO: dict[str, Callable[[Side, SideForm], ResponseReturnValue]] = {
    "later": _later,
    "list": _list,
    "test": _test,
    "save": _save,
    "connect": _connect,
}
"""What the buttons are called."""
DO_AT_META = DO | {"fields": _subscribe}
DO_AT_GENESYS = DO | {"create": _create, "login": _log_in}


def _asked(side: Side, ask: Callable[[], Answer]) -> Answer | None:
    """What the provider answered; where it did not, its words are on the next page."""
    try:
        return ask()
    except SendError as error:
        flash(
            _("That did not work. %(provider)s says: %(error)s.", provider=PROVIDER[side], error=error.text), "danger"
        )
        return None


def _checked(setup: Setup, side: Side) -> list[Shown]:
    subject = setup.subject()
    account = subject.whatsapp if side == "whatsapp" else subject.genesys
    assert account is not None  # nothing is missing
    expected = line_checks.expected_of(subject, ours(), side, thorough=True)
    found = line_checks.check_side(web_context().channels[side], account, expected)
    notes.findings(side, found.findings)
    return shown(found.findings)


def _webhook_secret(setup: Setup, side: Side) -> str:
    return _verify_token(setup) if side == "whatsapp" else setup.values("genesys")["webhook_secret"]


def _verify_token(setup: Setup) -> str:
    own = setup.values("whatsapp").get("verify_token") if setup.own_app else None
    return own or web_context().meta_verify_token


def _has_login(setup: Setup) -> bool:
    return bool(setup.values("genesys").get("refresh_token"))


def _deadline() -> float:
    return time.monotonic() + SECONDS


def _is_fragment() -> bool:
    return request.headers.get("X-Fragment") == "1"


def _back(side: Side, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("portal.setup", tenant_id=tenant().id, step=side, _anchor=anchor))
