"""What debug_token and the number's own fields tell, read as findings. No I/O.

Source: Graph debug_token docs; messaging-limits and health-status pages [whatsapp.md 6.4, 7].
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from relay.channels.base import Account, Finding, Level
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.account import advice
from relay.core.languages import phrase

MESSAGING, MANAGEMENT = "whatsapp_business_messaging", "whatsapp_business_management"
NOT_THE_APP = (101, 190)
"""Meta's codes for an app id and secret that do not belong together."""
DAY = 86_400
SHORT_DAYS = 2


def data_of(answer: HttpResponse | None) -> dict[str, Any] | None:
    """The `data` of a debug_token answer; None where there is none."""
    found = record(record(answer.data).get("data")) if answer is not None and answer.status == 200 else {}
    return found or None


def as_app(account: Account, app_id: str, secret: str) -> Account:
    """The account with the app's own token, which is made of its id and secret."""
    return replace(account, credentials={**account.credentials, "access_token": f"{app_id}|{secret}"})


def expiry(data: dict[str, Any]) -> int | None:
    """When the token ends, or the access to data, whichever is first; None: never."""
    ends = [data.get(name) for name in ("expires_at", "data_access_expires_at")]
    return min((int(end) for end in ends if isinstance(end, (int, float)) and end > 0), default=None)


def is_dead(data: dict[str, Any]) -> bool:
    """Meta itself says so; what it does not say is not held against a token."""
    ends = expiry(data)
    return data.get("is_valid") is False or (ends is not None and ends <= time.time())


def findings(data: dict[str, Any], waba: str) -> list[Finding]:
    """Of a token that was accepted a moment ago."""
    if data.get("is_valid") is False:
        return [
            Finding("token", "refused", phrase("WhatsApp says that the access token is not valid"), advice.GENERATE)
        ]
    return [_life(expiry(data)), *_scopes(data, waba)]


def _life(ends: int | None) -> Finding:
    if ends is None:
        return Finding("token_life", "ok", phrase("the access token does not expire"))
    left = ends - time.time()
    if left <= 0:
        return Finding("token_life", "refused", phrase("the access token has expired"), advice.GENERATE)
    days = int(left / DAY)
    text = phrase("the access token expires in %(count)s days", count=days) if days >= SHORT_DAYS else _hours(left)
    return Finding("token_life", "warning", text, advice.LIFE if days >= SHORT_DAYS else advice.SHORT, ends_at=ends)


def _hours(left: float) -> str:
    hours = max(1, round(left / 3600))
    return phrase("the access token is short-lived: it expires in %(count)s hours", count=hours)


def _scopes(data: dict[str, Any], waba: str) -> list[Finding]:
    """Only a list that is there and not empty can lack something."""
    given = data.get("scopes")
    scopes = [scope for scope in given if isinstance(scope, str)] if isinstance(given, list) else []
    if not scopes:
        return []
    missing = [scope for scope in (MESSAGING, MANAGEMENT) if scope not in scopes]
    if missing:
        # Without the second one messages flow; but nobody can see that the number is the account's.
        level: Level = "refused" if MESSAGING in missing else "warning"
        text = phrase("the token lacks the permission %(named)s", named=" + ".join(missing))
        return [Finding("scopes", level, text, advice.SCOPES)]
    if not _covers(data, waba):
        text = phrase("the token's permissions are for other WhatsApp accounts, not for this one")
        return [Finding("scopes", "warning", text, advice.ASSET)]
    return [Finding("scopes", "ok", phrase("the token has the permissions to send and to look things up"))]


def _covers(data: dict[str, Any], waba: str) -> bool:
    """A scope without a list of targets is for all of them."""
    limited = {
        clean(one.get("scope")): one["target_ids"]
        for one in records(data.get("granular_scopes"))
        if isinstance(one.get("target_ids"), list) and one["target_ids"]
    }
    return not waba or all(waba in map(clean, limited[scope]) for scope in (MESSAGING, MANAGEMENT) if scope in limited)


def health(number: dict[str, Any]) -> list[Finding]:
    """One line of information; a warning where Meta limits or blocks the number."""
    quality = clean(number.get("quality_rating"))
    may_send = clean(record(number.get("health_status")).get("can_send_message"))
    limit = clean(number.get("whatsapp_business_manager_messaging_limit"))
    level = clean(record(number.get("throughput")).get("level"))
    status = clean(number.get("status"))
    told = {"quality": quality, "sending": may_send, "status": status, "throughput": level, "messaging limit": limit}
    text = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    if not text:
        return []
    bad = quality == "RED" or may_send in ("LIMITED", "BLOCKED")
    return [Finding("quality", "warning" if bad else "ok", text, advice.HEALTH if bad else "", limit=limit or "")]
