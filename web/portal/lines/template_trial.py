"""A template filled in on its page: looked at, shown, and sent to a phone whose owner agreed, step by step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from db.views import history
from relay.core.templates.listed import ListedTemplate
from web.actions import sends
from web.actions.templates import found_wrong
from web.api.messages.state import person_of
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.language import _, translated
from web.portal.lines.line_names import own_line
from web.portal.lines.template_form import TemplateForm, form_of
from web.portal.lines.templates import own_template, template_page
from web.portal.wizard.trial import dialled
from web.request import data_access
from web.request.errors import ApiError
from web.request.principal import needs

PATH = "/tenants/<uuid:tenant_id>/lines/<uuid:line_id>/templates/<name>/<language>"


@portal.post(PATH)
@needs("messages:send", per_line=True)
def try_template(tenant_id: object, line_id: UUID, name: str, language: str) -> ResponseReturnValue:
    line, found = own_line(line_id), own_template(name, language)
    form = form_of(found)()
    wrong = found_wrong(tenant_pool(), tenant().id, form.template(), form.file[0] if form.file else None)
    if wrong or request.form.get("do") != "send":
        return template_page(line, found, form, mistakes=wrong, looked=True), 400 if wrong else 200
    if not form.validate() or not form.agreed.data:
        return template_page(line, found, form, not_agreed=not form.agreed.data), 400
    try:
        message_id = _send(line.id, found, form)
    except ApiError as error:
        flash(_("Not sent: %(error)s.", error=translated(error.message)), "danger")
        return template_page(line, found, form), 400
    return redirect(url_for("portal.template_trial", **(request.view_args or {}), message_id=message_id))


@portal.get(f"{PATH}/trial/<uuid:message_id>")
@needs("messages:read", per_line=True)
def template_trial(tenant_id: object, line_id: UUID, name: str, language: str, message_id: UUID) -> str:
    """The page with the test on it; a script asks for the part of it that lives."""
    line, found = own_line(line_id), own_template(name, language)
    part = render_template("portal/lines/_template_trial.html", detail=_detail(line.id, message_id))
    if request.headers.get("X-Fragment") == "1":
        return part
    return template_page(line, found, form_of(found)(None), part=part)


def _send(line_id: str, found: ListedTemplate, form: TemplateForm) -> str:
    """The id of the message. Raises ApiError."""
    kind, address = form.file or (None, None)
    wanted = sends.MessageRequest(
        "outbound",
        person_of(dialled(form.number.data or "")),
        type="template",
        template=form.template(),
        media_url=address,
        header=kind,
    )
    return sends.send(tenant_pool(), tenant().id, line_id, wanted, seconds=0).id


def _detail(line_id: str, message_id: UUID) -> Any:
    """Of a message of this line; ApiError 404 else."""
    found = history.get(tenant_pool(), tenant().id, str(message_id))
    if found is None or found.message.line_id != line_id:
        raise ApiError(404, "not_found", _("there is no such message"))
    conversation_id = found.message.conversation_id
    data_access.record_once(tenant().id, ("conversation", conversation_id), "conversation.viewed", conversation_id)
    return found
