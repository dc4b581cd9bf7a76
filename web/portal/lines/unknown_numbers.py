"""What came for numbers and integrations that no line owns, and what was signed rightly and could not be read."""

from __future__ import annotations

import time
import zlib
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from db.tenants import unknown_lines
from relay.core.redaction import redacted
from web.actions import replay as replaying
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _n
from web.request import data_access
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import OPERATOR, needs
from web.webhooks.budget import MOST_BYTES
from web.webhooks.lines import ChannelName

SHOWN = 50
SECONDS = 5.0


@portal.get("/unknown-numbers")
@needs(OPERATOR)
def unknown_numbers() -> str:
    found = unknown_lines.listed(web_context().pool)
    return render_template(
        "portal/unknown_numbers.html",
        numbers=[one for one in found if one.line_ref], unreadable=[one for one in found if not one.line_ref],
    )  # fmt: skip


@portal.get("/unknown-numbers/<any(whatsapp, genesys):channel>", defaults={"ref": ""})
@portal.get("/unknown-numbers/<any(whatsapp, genesys):channel>/<path:ref>")
@needs(OPERATOR)
def unknown_number(channel: str, ref: str) -> str:
    """What waits for one id, the oldest first; without an id: what nobody could read."""
    items = unknown_lines.waiting(web_context().pool, channel, ref, SHOWN)
    if not items:
        raise ApiError(404, "not_found", _("Nothing is waiting under this id any more."))
    data_access.record_once(None, ("unknown", channel, ref), "unknown.viewed", ref or "unreadable", channel=channel)
    count = unknown_lines.count(web_context().pool, channel, ref)
    shown = [(item, redacted(item.payload), _excerpt(item.payload)) for item in items]
    return render_template("portal/unknown_number.html", channel=channel, ref=ref, items=shown, count=count)


def _excerpt(payload: dict[str, Any]) -> str | None:
    """The beginning of what could not be read, as text."""
    found = payload.get("unreadable")
    return found if isinstance(found, str) else None


@portal.get("/unknown-numbers/whole/<int(max=9223372036854775807):item_id>")
@needs(OPERATOR)
def unknown_body(item_id: int) -> Response:
    """A body that was kept whole, as it came."""
    raw = unknown_lines.raw_of(web_context().pool, item_id)
    if raw is None:
        raise ApiError(404, "not_found", _("This body is not kept any more."))
    data_access.record_once(None, ("unknown body", item_id), "unknown.viewed", str(item_id))
    name = {"Content-Disposition": f'attachment; filename="webhook-{item_id}.bin"'}
    return Response(_inflated(raw), mimetype="application/octet-stream", headers=name)


@portal.post("/unknown-numbers/<any(whatsapp, genesys):channel>/<path:ref>/replay")
@needs(OPERATOR)
def replay_unknown(channel: ChannelName, ref: str) -> Response:
    """In slices, for as long as a request may take."""
    ends, done = time.monotonic() + SECONDS, 0
    while True:
        made = replaying.unknown(channel, ref)
        done += made.replayed
        if not (made.replayed and made.left) or time.monotonic() > ends:
            break
    more = " " + _("%(left)s are left: do it once more.", left=made.left) if made.left else ""
    if done or more or not made.not_proved:
        flash(_n("%(num)s item relayed.", "%(num)s items relayed.", done) + more, "success")
    if made.not_proved:
        flash(
            _n(
                "%(num)s item stays: no secret that counts for this line has signed them. Look at who did before "
                "you believe them, and delete what is not genuine.",
                "%(num)s items stay: no secret that counts for this line has signed them. Look at who did before "
                "you believe them, and delete what is not genuine.",
                made.not_proved,
            ),
            "warning",
        )
    return redirect(url_for("portal.unknown_numbers"))


@portal.post("/unknown-numbers/<any(whatsapp, genesys):channel>/delete", defaults={"ref": ""})
@portal.post("/unknown-numbers/<any(whatsapp, genesys):channel>/<path:ref>/delete")
@needs(OPERATOR)
def delete_unknown(channel: ChannelName, ref: str) -> Response:
    """What one signer has sent, in slices for as long as a request may take."""
    signer, ends, done, left = request.form.get("signer", "")[:32], time.monotonic() + SECONDS, 0, 1
    while left and time.monotonic() < ends:
        count, left = replaying.drop(channel, ref, signer)
        done += count
    more = " " + _("%(left)s are left: do it once more.", left=left) if left else ""
    flash(_n("%(num)s item deleted.", "%(num)s items deleted.", done) + more, "success")
    return redirect(url_for("portal.unknown_numbers"))


def _inflated(raw: bytes) -> bytes:
    return zlib.decompressobj().decompress(raw, MOST_BYTES)
