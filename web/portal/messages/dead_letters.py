"""Dead letters: what was given up, why, and sending it again: one, some, or all that match."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from db.mailbox import dead_letters as rows
from db.mailbox import replays
from db.mailbox.dead_letters import COUNTED, DeadLetterSelection
from db.paging import CursorError, Page
from db.tenants.changes import NotFoundError, TakenError
from db.views import waiting
from relay.core.explain.steps import Tracked
from web.actions import replays as actions
from web.portal.frame import filters, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _, _l, _n, offered, translated
from web.portal.frame.words import sentence
from web.portal.lines.line_names import line_choices, line_names
from web.portal.messages import contacts
from web.portal.messages.tracking import DIRECTIONS
from web.request import data_access
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import by, needs, principal

NAMED = 3
REPLAYS_SHOWN = 5


class DeadLetterFilter(FilterForm):
    reason = filters.text(_l("Reason code"), "131026")
    direction = SelectField(_l("Direction"), choices=offered(DIRECTIONS), default="")
    line = SelectField(_l("Line"), default="")
    since = DateField(_l("Arrived since"), validators=[Optional()])
    until = DateField(_l("Arrived until"), validators=[Optional()])


@portal.get("/tenants/<uuid:tenant_id>/dead-letters")
@needs("messages:read", per_line=True)
def dead_letters(tenant_id: UUID) -> str:
    data_access.record_once(tenant().id, ("dead letters", tenant().id), "dead_letters.listed")
    form, lines = _form()
    usable = form.validate()
    found = _page(form) if usable else Page([])
    older = url_for("portal.dead_letters", tenant_id=tenant_id, before=found.next, **form.chosen)
    return render_template(
        "portal/dead_letters.html",
        form=form, found=found.items, lines=lines, people=contacts.of(found.items),
        count=rows.count(tenant_pool(), _filter(form)) if usable else 0, most=COUNTED,
        reasons=rows.reasons(tenant_pool(), replace(_filter(form), reason_code=None, before=None)) if usable else [],
        replays=replays.listed(tenant_pool(), tenant().id, REPLAYS_SHOWN).items,
        older=older if found.next else None,
    )  # fmt: skip


@portal.post("/tenants/<uuid:tenant_id>/dead-letters/replay")
@needs("messages:replay", per_line=True)
def replay(tenant_id: UUID) -> Response:
    """The chosen ones. Those of one conversation keep their order."""
    ids = request.form.getlist("id")
    try:
        chosen = [str(UUID(one)) for one in ids]
    except ValueError:
        raise ApiError(400, "invalid_request", "This is not the id of a message. Go back and choose again.") from None
    if chosen:
        done = rows.replay(tenant_pool(), by(), tenant().id, chosen)
        _tell(len(done.replayed), list(dict.fromkeys(done.refused.values())), len(done.refused))
    else:
        flash(_("Nothing was chosen. Mark the messages that are to be sent again."), "warning")
    if request.form.get("back") == "message" and len(chosen) == 1:
        return redirect(url_for("portal.message", tenant_id=tenant_id, message_id=chosen[0]))
    return redirect(url_for("portal.dead_letters", tenant_id=tenant_id, **_form()[0].chosen))


def _tell(sent: int, reasons: list[str], refused: int) -> None:
    if sent:
        flash(
            _n(
                "%(num)s message is on the way again. Each keeps its place in its conversation.",
                "%(num)s messages are on the way again. Each keeps its place in its conversation.",
                sent,
            ),
            "success",
        )
    if refused:
        why = "; ".join(map(translated, reasons[:NAMED]))
        flash(_("%(count)s left as before: %(reasons)s.", count=refused, reasons=why), "warning")


@portal.route("/tenants/<uuid:tenant_id>/dead-letters/replay-all", methods=["GET", "POST"])
@needs("messages:replay", per_line=True)
def replay_all(tenant_id: UUID) -> str | Response:
    """Asks first and says how many; then the daemons send all that match the filters."""
    filtered, lines = _form()
    if not filtered.validate():
        raise ApiError(400, "invalid_request", _("These filters cannot be used. Go back to the list and choose again."))
    if not filtered.line.data and len(principal().line_ids or ("all",)) != 1:
        flash(_("Choose one of your lines first: those of one line are sent again at a time."), "warning")
        return redirect(url_for("portal.dead_letters", tenant_id=tenant_id, **filtered.chosen))
    form = FlaskForm()
    if form.validate_on_submit():
        return _begin(filtered)
    count = rows.count(tenant_pool(), _filter(filtered))
    return render_template(
        "portal/dead_letters_confirm.html", form=form, filtered=filtered, lines=lines, count=count, most=COUNTED,
        running=replays.running(tenant_pool(), tenant().id),
    )  # fmt: skip


def _begin(filtered: DeadLetterFilter) -> Response:
    try:
        begun = actions.begin(_filter(filtered))
    except (NotFoundError, TakenError) as error:
        flash(sentence(str(error)), "warning")
        return redirect(url_for("portal.dead_letters", tenant_id=tenant().id, **filtered.chosen))
    return redirect(url_for("portal.replay_progress", tenant_id=tenant().id, replay_id=begun.id))


@portal.get("/tenants/<uuid:tenant_id>/dead-letters/replays/<uuid:replay_id>")
@needs("messages:read", per_line=True)
def replay_progress(tenant_id: UUID, replay_id: UUID) -> str:
    """How many went, what became of them, and what waits."""
    return render_template("portal/replay.html", **_standing(replay_id))


@portal.get("/tenants/<uuid:tenant_id>/dead-letters/replays/<uuid:replay_id>/standing")
@needs("messages:read", per_line=True)
def replay_standing(tenant_id: UUID, replay_id: UUID) -> str:
    """A part of the page above."""
    return render_template("portal/fragments/standing.html", **_standing(replay_id))


@portal.post("/tenants/<uuid:tenant_id>/dead-letters/replays/<uuid:replay_id>/cancel")
@needs("messages:replay", per_line=True)
def cancel_replay(tenant_id: UUID, replay_id: UUID) -> Response:
    held = replays.cancel(tenant_pool(), by(), tenant().id, str(replay_id))
    if held.state != "cancelled":
        flash(_("It had ended already."), "warning")
    return redirect(url_for("portal.replay_progress", tenant_id=tenant_id, replay_id=replay_id))


def _standing(replay_id: UUID) -> dict[str, object]:
    return {
        "held": replays.get(tenant_pool(), tenant().id, str(replay_id)),
        "queues": waiting.of_tenant(tenant_pool(), tenant().id, web_context().terms),
        "dead": rows.count(tenant_pool(), DeadLetterSelection(tenant().id)),
        "most": COUNTED,
    }


def _form() -> tuple[DeadLetterFilter, dict[str, str]]:
    form, lines = DeadLetterFilter(), line_names()
    form.line.choices = line_choices()
    return form, lines


def _filter(form: DeadLetterFilter) -> DeadLetterSelection:
    return DeadLetterSelection(
        tenant().id,
        line_id=form.line.data or None,
        direction=form.direction.data or None,
        reason_code=form.reason.data or None,
        since=time_zone.begin(form.since.data) if form.since.data else None,
        until=time_zone.end(form.until.data) if form.until.data else None,
        before=filters.before() if request.endpoint == "portal.dead_letters" else None,
    )


def _page(form: DeadLetterFilter) -> Page[Tracked]:
    try:
        return rows.listed(tenant_pool(), _filter(form))
    except CursorError as error:
        raise filters.beyond() from error
