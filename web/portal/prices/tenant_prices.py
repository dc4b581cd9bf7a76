"""What a tenant's month cost, by category and country, and what Meta says beside it where it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import render_template, request
from wtforms import SelectField

from relay.core.costs import FREE_SERVICE, Comparison
from web.actions import prices as actions
from web.portal.frame import formats
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _, _l
from web.portal.lines.line_names import line_choices, line_names, own_line
from web.portal.prices import summing
from web.request.errors import ApiError
from web.request.principal import needs


class MonthForm(FilterForm):
    month = SelectField(_l("Month (UTC)"))
    currency = SelectField(_l("Currency"))


class PriceForm(MonthForm):
    line = SelectField(_l("Line"), default="")


def fill(form: MonthForm, currencies: Sequence[str]) -> None:
    """The choices that there are; what is asked for and is none of them is told beside its field."""
    form.month.choices = {f"{one:%Y-%m}": formats.month(one) for one in actions.months()}
    form.month.data = request.args.get("month") or f"{actions.this_month():%Y-%m}"
    form.currency.choices = {one: one for one in currencies} or {"": _("None")}
    form.currency.data = request.args.get("currency") or next(iter(currencies), "")


@portal.get("/tenants/<uuid:tenant_id>/prices")
@needs("messages:read", per_line=True, without_consent=True)
def prices(tenant_id: UUID) -> str:
    return _page()


@portal.post("/tenants/<uuid:tenant_id>/prices/<uuid:line_id>/comparison")
@needs("messages:read", per_line=True)
def compare_prices(tenant_id: UUID, line_id: UUID) -> str:
    """The page once more, with what Meta says now of this line's month."""
    line = own_line(line_id)
    try:
        found = actions.compare(tenant().id, line.id, actions.month_of(request.args.get("month")))
    except ApiError as error:
        return _page(line.id, wrong=error.message)
    return _page(line.id, found)


def _page(compared: str = "", comparison: Sequence[Comparison] = (), wrong: str = "") -> str:
    """`compared`: the line of which Meta was asked."""
    month = actions.month_of(request.args.get("month"))
    lines = line_names()
    chosen = request.args.get("line") or ""
    report = actions.of_tenant(
        tenant_pool(), tenant().id, month, chosen if chosen in lines else None, request.args.get("currency")
    )
    form = PriceForm()
    fill(form, report.currencies)
    form.line.choices = line_choices()
    form.line.data = chosen
    form.validate()
    return render_template(
        "portal/prices/prices.html",
        form=form,
        report=report,
        total=summing.added(report.charges),
        kinds=summing.sums(report.charges, "category", "type", "subtype"),
        countries=summing.by_country(report.charges),
        lines=lines,
        of=FREE_SERVICE,
        compared=compared,
        comparison=comparison,
        wrong=wrong,
    )
