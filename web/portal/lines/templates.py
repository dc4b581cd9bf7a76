"""A line's templates: listed as Meta has them, each as the phone will show it, with what Meta told of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField

from db.paging import CursorError, Page
from db.tenants import templates as kept
from db.tenants.changes import NotFoundError, TakenError
from db.tenants.onboarding import Line
from db.tenants.templates import FILTERS, TemplateFilter
from relay.core.templates.listed import SENDABLE, ListedTemplate
from relay.core.templates.news import in_words
from relay.core.templates.preview import preview
from web.actions.templates import read_anew
from web.portal.frame import filters
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _, _l, translated
from web.portal.lines.line_names import own_line
from web.portal.lines.template_form import form_of
from web.request.principal import needs

SHOWN = 50
WAITING = ("PENDING", "IN_APPEAL", "PAUSED", "FLAGGED", "UNKNOWN")


class TemplateFilterForm(FilterForm):
    q = filters.text(_l("Name"), "order_update")
    status = SelectField(_l("Status"), default="", validate_choice=False)
    category = SelectField(_l("Category"), default="", validate_choice=False)
    quality = SelectField(_l("Quality"), default="", validate_choice=False)
    language = SelectField(_l("Language"), default="", validate_choice=False)


@portal.get("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/templates")
@needs("tenants:read", per_line=True)
def templates(tenant_id: object, line_id: UUID) -> str:
    line, form = own_line(line_id), TemplateFilterForm()
    for name, values in kept.choices(tenant_pool(), tenant().id).items():
        shown = {value: value if name == "language" else template_word(value) for value in values}
        form[name].choices = {"": _("All"), **shown}
    found = _listed(form) if form.validate() else Page([])
    further = url_for("portal.templates", tenant_id=tenant_id, line_id=line_id, before=found.next, **form.chosen)
    return render_template(
        "portal/lines/templates.html",
        line=line,
        form=form,
        found=found.items,
        further=further if found.next else None,
        standing=kept.standing(tenant_pool(), tenant().id),
    )


def _listed(form: TemplateFilterForm) -> Page[ListedTemplate]:
    wanted = TemplateFilter(**{name: form[name].data or "" for name in (*FILTERS, "q")})
    try:
        return kept.listed(tenant_pool(), tenant().id, wanted, filters.before(), SHOWN)
    except CursorError as error:
        raise filters.beyond() from error


@portal.post("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/templates")
@needs("tenants:write")
def read_templates(tenant_id: object, line_id: UUID) -> ResponseReturnValue:
    """Meta is asked now, and not by the hour."""
    line = own_line(line_id)
    try:
        trouble = read_anew(tenant_pool(), tenant().id, line.id)
        text = (
            _("Not all could be read: %(trouble)s.", trouble=translated(trouble)) if trouble else _("Read from Meta.")
        )
        flash(text, "danger" if trouble else "success")
    except TakenError as error:
        flash(_("Not read: %(error)s.", error=translated(str(error))), "warning")
    return redirect(url_for("portal.templates", tenant_id=tenant_id, line_id=line_id))


@portal.get("/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/templates/<name>/<language>")
@needs("tenants:read", per_line=True)
def template(tenant_id: object, line_id: UUID, name: str, language: str) -> str:
    line, found = own_line(line_id), own_template(name, language)
    return template_page(line, found, form_of(found)(None))


def own_template(name: str, language: str) -> ListedTemplate:
    """One of the tenant's. Raises NotFoundError."""
    if "\x00" not in name:
        for one in kept.of_name(tenant_pool(), tenant().id, name):
            if one.language == language:
                return one
    raise NotFoundError(_("there is no such template in the list"))


def template_page(line: Line, found: ListedTemplate, form: Any, **more: Any) -> str:
    """With what is filled in, what is wrong with it (`mistakes`) and how a test goes on (`part`), if anything."""
    others = [one.language for one in kept.of_name(tenant_pool(), tenant().id, found.name)]
    news = [
        (datetime.fromtimestamp(one.at, UTC), in_words(one))
        for one in kept.news(tenant_pool(), tenant().id, found.name, found.language)
    ]
    return render_template(
        "portal/lines/template.html",
        line=line,
        one=found,
        others=others,
        told_lately=news,
        form=form,
        shown=preview(found, form.template() if form.is_submitted() else None),
        **more,
    )


@portal.app_template_filter("template_word")
def template_word(value: str) -> str:
    return value.replace("_", " ").capitalize()


@portal.app_template_filter("template_tone")
def template_tone(status: str) -> str:
    if status in SENDABLE and status != "FLAGGED":
        return "success"
    return "warning" if status in WAITING else "danger"
