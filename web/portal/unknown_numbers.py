"""What came for numbers and integrations that no line owns, and what was signed rightly and could not be read."""

from __future__ import annotations

import time
from typing import Any

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from db import unknown_lines
from relay.core.redaction import redacted
from web import looks
from web import replay as replaying
from web.context import parts
from web.errors import ApiError
from web.portal.blueprint import portal
from web.principal import OPERATOR, needs

SHOWN = 50
SECONDS = 5.0


@portal.get("/unknown-numbers")
@needs(OPERATOR)
def unknown_numbers() -> str:
    found = unknown_lines.listed(parts().pool)
    return render_template(
        "portal/unknown_numbers.html",
        numbers=[one for one in found if one.line_ref], unreadable=[one for one in found if not one.line_ref],
    )  # fmt: skip


@portal.get("/unknown-numbers/<any(whatsapp, genesys):channel>", defaults={"ref": ""})
@portal.get("/unknown-numbers/<any(whatsapp, genesys):channel>/<path:ref>")
@needs(OPERATOR)
def unknown_number(channel: str, ref: str) -> str:
    """What waits for one id, the oldest first; without an id: what nobody could read."""
    items = unknown_lines.waiting(parts().pool, channel, ref, SHOWN)
    if not items:
        raise ApiError(404, "not_found", "Nothing is waiting under this id any more.")
    looks.noted(None, ("unknown", channel, ref), "unknown.viewed", ref or "unreadable", channel=channel)
    count = unknown_lines.count(parts().pool, channel, ref)
    shown = [(item, redacted(item.payload), _excerpt(item.payload)) for item in items]
    return render_template("portal/unknown_number.html", channel=channel, ref=ref, items=shown, count=count)


def _excerpt(payload: dict[str, Any]) -> str | None:
    """The beginning of what could not be read, as text."""
    found = payload.get("unreadable")
    return found if isinstance(found, str) else None


@portal.post("/unknown-numbers/<any(whatsapp, genesys):channel>/<path:ref>/replay")
@needs(OPERATOR)
def replay_unknown(channel: str, ref: str) -> Response:
    """In slices, for as long as a request may take."""
    ends, done, left = time.monotonic() + SECONDS, 0, 1
    while left and time.monotonic() < ends:
        made = replaying.unknown(channel, ref)  # type: ignore[arg-type]
        done, left = done + made.replayed, made.left
        if not made.replayed:
            break
    more = f" {left:,} are left: do it once more." if left else ""
    flash(f"{done:,} item{'' if done == 1 else 's'} relayed.{more}", "success")
    return redirect(url_for("portal.unknown_numbers"))
