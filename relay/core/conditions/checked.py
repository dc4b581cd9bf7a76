"""What a line's scheduled checks say of conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from relay.core.conditions.kinds import LONGEST_DETAIL, SeenCondition
from relay.core.languages import phrase

SOON_SECONDS = 14 * 86_400
"""An access token that ends within this time ends soon."""
CREDENTIALS = ("token", "token_life", "credentials")
"""Checks whose no means the credentials, which all lines of a tenant share."""
UNLIMITED = 10**9
_TIER = re.compile(r"TIER_(?:([0-9]{1,9})(K?)|UNLIMITED)")


def of_check(line_id: str, findings: Iterable[Mapping[str, Any]], now: float) -> list[SeenCondition]:
    """Of the newest run. `now` is in Unix seconds."""
    found = (_of_finding(line_id, one, now) for one in findings)
    return [one for one in found if one is not None]


def _of_finding(line_id: str, one: Mapping[str, Any], now: float) -> SeenCondition | None:
    check, level, side = one["check"], one["level"], one["side"]
    detail = str(one["text"])[:LONGEST_DETAIL]
    if level == "refused":
        if check in CREDENTIALS:
            return SeenCondition("credentials_refused", None, side, detail)
        return SeenCondition("line_refused", line_id, side, detail)
    if check == "token_life" and (one.get("ends_at") or now + SOON_SECONDS) < now + SOON_SECONDS:
        return SeenCondition("credentials_expiring", None, side, detail)
    if check == "quality" and level == "warning":
        return SeenCondition("number_quality", line_id, "", detail)
    return None


def of_limits(line_id: str, limits: Sequence[str]) -> list[SeenCondition]:
    """Of the limits that Meta told lately, the newest first: is it lower now than it was?"""
    told = [(people, one) for one in limits if (people := _people(one)) is not None]
    if not told or told[0][0] == max(told)[0]:
        return []
    detail = phrase("it was %(former)s, and is %(now)s", former=_words(max(told)[0]), now=_words(told[0][0]))
    return [SeenCondition("number_limit", line_id, "", detail)]


def _people(limit: str) -> int | None:
    """Meta names a tier; what it names otherwise is not compared."""
    found = _TIER.fullmatch(limit.upper())
    if found is None:
        return None
    return int(found[1]) * (1000 if found[2] else 1) if found[1] else UNLIMITED


def _words(people: int) -> str:
    return phrase("without a limit") if people == UNLIMITED else phrase("%(count)s people a day", count=people)
