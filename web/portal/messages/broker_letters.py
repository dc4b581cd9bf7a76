"""Updates that no daemon could take in: why, whose, and putting them back into their queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, IntegerField
from wtforms.validators import NumberRange

from db.tenants import registry
from db.views import audit_search
from db.views.audit_search import AuditSearch
from relay.broker.dead_letters import MOST_SEEN
from web.actions import undecoded
from web.actions.undecoded import Undecoded
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _n
from web.request import data_access
from web.request.context import web_context
from web.request.principal import OPERATOR, needs

SEEN = 500
"""So many are looked at for one page; their reasons are counted."""
SHOWN = 100
STEP = 100
"""So many go back with one request: it ends within seconds, and the next one goes on."""
LATELY = 5


class PuttingBack(FlaskForm):
    """Of what is put back step by step: what was there when it began, and how many have gone."""

    reason = HiddenField()
    total = IntegerField(validators=[NumberRange(0, MOST_SEEN)])
    gone = IntegerField(validators=[NumberRange(0, MOST_SEEN)])


@portal.get("/not-taken-in")
@needs(OPERATOR)
def broker_letters() -> str:
    reason = request.args.get("reason", "")
    waiting, found = undecoded.looked_at(SEEN)
    data_access.record_once(None, ("broker letters",), "broker_letters.viewed", "", count=len(found))
    shown = [one for one in found if not reason or one.reason == reason][:SHOWN]
    return render_template(
        "portal/broker_letters.html",
        found=[(one, _at(one)) for one in shown], reason=reason, waiting=waiting, seen=len(found),
        reasons=Counter(one.reason for one in found).most_common(), tenants=_names(shown),
        lately=audit_search.listed(
            web_context().pool, AuditSearch(None, actions=["broker_letters.replayed"]), LATELY
        ).items,
    )  # fmt: skip


@portal.post("/not-taken-in/replay")
@needs(OPERATOR)
def replay_broker_letters() -> Response:
    """The chosen ones."""
    chosen, reason = set(request.form.getlist("id")[:SEEN]), request.args.get("reason") or None
    if not chosen:
        flash(_("Nothing was chosen. Mark the updates that are to be put back."), "warning")
    else:
        done = undecoded.bring_back(len(chosen), lambda letter: letter.id in chosen)
        _tell(done.replayed, len(chosen) - done.replayed)
    return redirect(url_for("portal.broker_letters", reason=reason))


@portal.route("/not-taken-in/replay-all", methods=["GET", "POST"])
@needs(OPERATOR)
def replay_all_broker_letters() -> str | Response:
    """Asks first; then a step with each request, until nothing more goes."""
    form = PuttingBack()
    if form.validate_on_submit():
        return _step(form, form.reason.data or "", form.total.data or 0, form.gone.data or 0)
    reason = request.args.get("reason", "")
    waiting, found = undecoded.looked_at(SEEN)
    matching = [one for one in found if not reason or one.reason == reason]
    count = len(matching) if reason or waiting <= len(found) else waiting
    proved = sum(one.proved for one in matching)
    return render_template(
        "portal/broker_letters_confirm.html",
        form=form, reason=reason, count=count, proved=proved, all_seen=waiting <= len(found),
    )  # fmt: skip


def _step(form: PuttingBack, reason: str, total: int, gone: int) -> str | Response:
    done = undecoded.bring_back(STEP, lambda letter: not reason or letter.reason == reason)
    gone = min(gone + done.replayed, MOST_SEEN)
    if done.replayed < STEP or gone >= MOST_SEEN:
        _tell(gone, 0 if reason else done.left)
        return redirect(url_for("portal.broker_letters", reason=reason or None))
    return render_template(
        "portal/broker_letters_progress.html",
        form=form, reason=reason, gone=gone, total=max(total, gone + done.left - done.stayed), left=done.left,
    )  # fmt: skip


def _tell(gone: int, stayed: int) -> None:
    if gone:
        flash(
            _n(
                "%(num)s update is back in its queue; daemons take it in now.",
                "%(num)s updates are back in their queues; daemons take them in now.",
                gone,
            ),
            "success",
        )
    if stayed:
        flash(
            _n(
                "%(num)s update is still here: nobody can tell where it belongs, or no secret that counts for its "
                "line has signed it.",
                "%(num)s updates are still here: nobody can tell where they belong, or no secret that counts for "
                "their line has signed them.",
                stayed,
            ),
            "warning",
        )
    if not gone and not stayed:
        flash(_("There was nothing to put back."), "warning")


def _at(one: Undecoded) -> datetime | None:
    try:
        return datetime.fromtimestamp(one.arrived_at, UTC) if one.arrived_at is not None else None
    except (OverflowError, ValueError, OSError):  # what lies here may say anything
        return None


def _names(found: Iterable[Undecoded]) -> dict[str, str]:
    """Of the tenants that there are."""
    asked = {one.tenant_id for one in found if one.tenant_id is not None and _is_id(one.tenant_id)}
    tenants = (registry.get(web_context().pool, one) for one in sorted(asked))
    return {one.id: one.name for one in tenants if one is not None}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
