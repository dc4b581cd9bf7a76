"""What a webhook is posted of conditions: the form of Standard Webhooks, with a type, a time and the data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from relay.core.conditions.digest import ConditionChange, title
from relay.core.conditions.kinds import KINDS


def changed(changes: Sequence[ConditionChange], public_url: str, now: datetime) -> bytes:
    """JSON. A change that was posted before has the same `id` and `what`."""
    return _body("conditions.changed", now, {"changes": [_one(change, public_url) for change in changes]})


def test(now: datetime) -> bytes:
    """What the test button posts."""
    return _body("conditions.test", now, {"text": "This is a test. Nothing is wrong."})


def _body(kind: str, now: datetime, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "timestamp": _time(now), "data": data}).encode()


def _one(change: ConditionChange, public_url: str) -> dict[str, Any]:
    kind = KINDS.get(change.kind)
    return {
        "id": change.condition_id,
        "what": change.what,
        "kind": change.kind,
        "tenant_id": change.tenant_id,
        "line_id": change.line_id,
        "subject": change.subject,
        "text": title(change),
        "detail": change.detail,
        "meaning": kind.meaning if kind else "",
        "advice": kind.advice if kind else "",
        "begun_at": _time(change.begun_at),
        "over_at": _time(change.over_at) if change.over_at else None,
        "url": f"{public_url.rstrip('/')}/portal/tenants/{change.tenant_id}/conditions",
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
