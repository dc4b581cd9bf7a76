"""The operator's page of prices: what all tenants' month cost, and the rate cards by which it is reckoned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.tenants import rate_cards, registry
from db.tenants.rate_cards import TooManyCardsError
from db.views.prices import MOST_TENANTS
from relay.core import rate_card
from relay.core.rate_card import BYTES, CATEGORIES, CardRefused
from web.actions import prices as actions
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _
from web.portal.prices import summing
from web.portal.prices.tenant_prices import MonthForm, fill
from web.request.context import web_context
from web.request.principal import OPERATOR, by, needs


@portal.get("/prices")
@needs(OPERATOR)
def all_prices() -> str:
    return _page()


@portal.post("/prices/cards")
@needs(OPERATOR)
def upload_card() -> ResponseReturnValue:
    """Taken whole or not at all."""
    file = request.files.get("file")
    data = file.read(BYTES + 1) if file else b""
    if not data:
        return _page([_("Choose the CSV file of the rate card first.")]), 400
    try:
        cards = rate_card.read(data)
        rate_cards.put(web_context().pool, by(), cards)
    except CardRefused as error:
        return _page([f"{one}." for one in error.errors]), 400
    except TooManyCardsError as error:
        return _page([str(error)]), 409
    flash(_taken(cards), "success")
    return redirect(url_for("portal.all_prices"))


@portal.post("/prices/cards/<currency>/<valid_from>/delete")
@needs(OPERATOR)
def delete_card(currency: str, valid_from: str) -> ResponseReturnValue:
    try:
        found = rate_cards.delete(web_context().pool, by(), currency[:3], date.fromisoformat(valid_from))
    except ValueError:
        found = False
    flash(_("The rate card is deleted.") if found else _("There was no such rate card any more."), "success")
    return redirect(url_for("portal.all_prices"))


def _taken(cards: Sequence[rate_card.RateCard]) -> str:
    """Names that Meta did not have in November 2026 are said: most are slips of the pen."""
    taken = (
        _("%(currency)s from %(valid_from)s", currency=one.currency, valid_from=one.valid_from) for one in cards[:10]
    )
    told = _("Taken: %(cards)s.", cards=", ".join(taken))
    strange = sorted({category for one in cards for _, category in one.rates} - set(CATEGORIES))
    if not strange:
        return told
    names = ", ".join(strange[:10])
    return f"{told} " + _("These are no categories that Meta is known to have: %(names)s.", names=names)


def _page(wrong: Sequence[str] = ()) -> str:
    month = actions.month_of(request.args.get("month"))
    report = actions.of_all(month, request.args.get("currency"))
    form = MonthForm()
    fill(form, report.currencies)
    form.validate()
    tenants = sorted(summing.sums(report.charges, "tenant_id"), key=lambda one: (-one.messages, one.names))
    known = ((one, registry.get(web_context().pool, one.names[0])) for one in tenants)
    return render_template(
        "portal/prices/all.html",
        form=form,
        report=report,
        total=summing.added(report.charges),
        kinds=summing.sums(report.charges, "category", "type", "subtype"),
        tenants=[(one, tenant) for one, tenant in known if tenant is not None],
        most=MOST_TENANTS,
        cards=rate_cards.listed(web_context().pool),
        wrong=wrong,
    )
