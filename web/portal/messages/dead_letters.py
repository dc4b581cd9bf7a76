"""Dead letters: what was given up, why, and sending it again: one, some, or all that match."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, session, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, IntegerField, SelectField
from wtforms.validators import NumberRange, Optional

from db.mailbox import dead_letters as rows
from db.mailbox.dead_letters import COUNTED, Filter
from db.paging import CursorError, Page
from db.views import waiting
from relay.core.explain.steps import Tracked
from web.portal.frame import filters, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.lines.line_names import line_choices, line_names
from web.portal.messages import contacts
from web.portal.messages.tracking import DIRECTIONS
from web.request import data_access
from web.request.context import parts
from web.request.errors import ApiError
from web.request.principal import by, needs

SECONDS = 5.0
"""So long one request goes on sending again; the page then asks for the rest."""
NAMED = 3
UNDER_WAY = "replay"


class DeadLetterFilter(FilterForm):
    reason = filters.text("Reason code", "131026")
    direction = SelectField("Direction", choices=DIRECTIONS, default="")
    line = SelectField("Line", default="")
    since = DateField("Arrived since", validators=[Optional()])


class ReplayForm(FlaskForm):
    """How many were promised: what fails again at once is not promised a second time."""

    total = IntegerField(validators=[NumberRange(1, COUNTED)])


@portal.get("/tenants/<uuid:tenant_id>/dead-letters")
@needs("messages:read")
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
        older=older if found.next else None,
    )  # fmt: skip


@portal.post("/tenants/<uuid:tenant_id>/dead-letters/replay")
@needs("messages:replay")
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
        flash("Nothing was chosen. Mark the messages that are to be sent again.", "warning")
    if request.form.get("back") == "message" and len(chosen) == 1:
        return redirect(url_for("portal.message", tenant_id=tenant_id, message_id=chosen[0]))
    return redirect(url_for("portal.dead_letters", tenant_id=tenant_id, **_form()[0].chosen))


def _tell(sent: int, reasons: list[str], refused: int) -> None:
    if sent:
        flash(f"{_messages(sent)} on the way again. Each keeps its place in its conversation.", "success")
    if refused:
        flash(f"{refused} left as before: {'; '.join(reasons[:NAMED])}.", "warning")


def _messages(count: int) -> str:
    return "1 message is" if count == 1 else f"{count:,} messages are"


@portal.route("/tenants/<uuid:tenant_id>/dead-letters/replay-all", methods=["GET", "POST"])
@needs("messages:replay")
def replay_all(tenant_id: UUID) -> str | Response:
    """Asks first and says how many; then all that match the filters, in slices."""
    filtered, lines = _form()
    if not filtered.validate():
        raise ApiError(400, "invalid_request", "These filters cannot be used. Go back to the list and choose again.")
    form = ReplayForm()
    if form.validate_on_submit():
        session[UNDER_WAY] = {
            "tenant": tenant().id, "total": form.total.data, "done": 0, "filters": filtered.chosen,
            "begun": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        return _go_on(filtered)
    count = rows.count(tenant_pool(), _filter(filtered))
    return render_template(
        "portal/dead_letters_confirm.html", form=form, filtered=filtered, lines=lines, count=count, most=COUNTED
    )


@portal.post("/tenants/<uuid:tenant_id>/dead-letters/go-on")
@needs("messages:replay")
def replay_rest(tenant_id: UUID) -> Response:
    """The next slices of what was confirmed."""
    filtered, _ = _form()
    if _under_way() is None or not filtered.validate():
        return redirect(url_for("portal.dead_letters", tenant_id=tenant_id))
    return _go_on(filtered)


def _under_way() -> dict[str, Any] | None:
    """What this browser confirmed. In its session and not in an address: a link must not send anything."""
    held: dict[str, Any] | None = session.get(UNDER_WAY)
    return held if held is not None and held["tenant"] == tenant().id else None


def _go_on(filtered: DeadLetterFilter) -> Response:
    """What died after the confirmation is not taken: it would be sent twice and use up the total."""
    held = session[UNDER_WAY]
    wanted = replace(_filter(filtered), died_before=datetime.fromisoformat(held["begun"]))
    done, left = _slices(wanted, held["total"] - held["done"])
    held["done"] += done
    held["over"] = not done or not left or held["done"] >= held["total"]
    session.modified = True
    return redirect(url_for("portal.replay_progress", tenant_id=tenant().id))


def _slices(wanted: Filter, count: int) -> tuple[int, int]:
    """Send again for as long as a request may take: how many went, how many match still."""
    ends, done, left = time.monotonic() + SECONDS, 0, 1
    while done < count and left and time.monotonic() < ends:
        made = rows.replay_all(tenant_pool(), by(), wanted, min(rows.AT_ONCE, count - done))
        done, left = done + made.replayed, made.left
        if not made.replayed:
            break
    return done, left


@portal.get("/tenants/<uuid:tenant_id>/dead-letters/progress")
@needs("messages:replay")
def replay_progress(tenant_id: UUID) -> str | Response:
    """What became of it: how many went, what is waiting now, and what was given up again."""
    held = _under_way()
    if held is None:
        return redirect(url_for("portal.dead_letters", tenant_id=tenant_id))
    go_on = None if held["over"] else url_for("portal.replay_rest", tenant_id=tenant_id, **held["filters"])
    return render_template("portal/dead_letters_progress.html", held=held, go_on=go_on, **_standing())


@portal.get("/tenants/<uuid:tenant_id>/dead-letters/standing")
@needs("messages:read")
def dead_letters_standing(tenant_id: UUID) -> str:
    """A part of the page above."""
    return render_template("portal/fragments/standing.html", **_standing())


def _standing() -> dict[str, object]:
    return {
        "queues": waiting.of_tenant(tenant_pool(), tenant().id, parts().terms),
        "dead": rows.count(tenant_pool(), Filter(tenant().id)),
        "most": COUNTED,
    }


def _form() -> tuple[DeadLetterFilter, dict[str, str]]:
    form, lines = DeadLetterFilter(), line_names()
    form.line.choices = line_choices()
    return form, lines


def _filter(form: DeadLetterFilter) -> Filter:
    return Filter(
        tenant().id,
        line_id=form.line.data or None,
        direction=form.direction.data or None,
        reason_code=form.reason.data or None,
        since=time_zone.begin(form.since.data) if form.since.data else None,
        before=filters.before() if request.endpoint == "portal.dead_letters" else None,
    )


def _page(form: DeadLetterFilter) -> Page[Tracked]:
    try:
        return rows.listed(tenant_pool(), _filter(form))
    except CursorError as error:
        raise filters.beyond() from error
