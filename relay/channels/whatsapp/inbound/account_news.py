"""News of an account, a number or a template, in words with what to do. What nobody has described stays Meta's word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.channels.whatsapp.inbound import account_words as words

_MOST = 5
_LONGEST = 120
_TIER = re.compile(r"TIER_(?:([0-9]+)(K?)|UNLIMITED)")


def sentences(field: str, value: JsonObject) -> list[str]:
    """What the news of this field mean; nothing where all has been said by its facts."""
    read = _READERS.get(field)
    return [one for one in read(value) if one] if read else []


def _account(value: JsonObject) -> Iterator[str]:
    number = _word(value, "phone_number")
    if number:
        yield f"It is about the number {number}."
    yield _meaning(value, "event", words.ACCOUNT_EVENTS)
    yield _disconnection(record(value.get("disconnection_info")))
    for one in islice(records(value.get("restriction_info")), _MOST):
        yield _restriction(one)
    yield _ban(record(value.get("ban_info")))
    violation = _word(record(value.get("violation_info")), "violation_type")
    yield f"Meta names the breach {violation}." if violation else ""


def _disconnection(info: JsonObject) -> str:
    reason, by = _word(info, "reason"), _word(info, "initiated_by")
    if not (reason or by):
        return ""
    why = words.DISCONNECTIONS.get(reason.upper(), "")
    told = joined((f"It was disconnected {words.INITIATORS.get(by.upper(), by)}".strip(), reason), ": ")
    return f"{told} ({why})." if why else f"{told}."


def _restriction(info: JsonObject) -> str:
    kind, until = _word(info, "restriction_type"), _word(info, "expiration")
    if not kind:
        return ""
    meaning = words.RESTRICTIONS.get(kind.upper()) or (words.CALLING if "CALL" in kind.upper() else "")
    remedy = _word(info, "remediation")
    return joined(
        (f"{kind}{f' until {until}' if until else ''}.", meaning, f"Meta says: {remedy}" if remedy else ""), " "
    )


def _ban(info: JsonObject) -> str:
    state, when = _word(info, "waba_ban_state"), _word(info, "waba_ban_date")
    if not state:
        return ""
    return joined((f"{state}{f', {when}' if when else ''}.", words.BANS.get(state.upper(), "")), " ")


def _number(value: JsonObject) -> Iterator[str]:
    number = _word(value, "display_phone_number")
    if number:
        yield f"It is about the number {number}."
    yield _meaning(value, "event", words.NUMBER_EVENTS)
    for name in ("max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit"):
        if limit := _limit(_word(value, name)):
            yield limit
            return


def _limit(told: str) -> str:
    """A tier by its name, or a number of people."""
    found = _TIER.fullmatch(told.upper())
    if told == "-1" or (found and not found[1]):
        return "Any number of people may be written to outside the 24-hour window."
    people = int(found[1][:9]) * (1000 if found[2] else 1) if found else int(told[:9]) if told.isdecimal() else 0
    return f"Up to {people:,} people a day may be written to outside the 24-hour window." if people else ""


def _name(value: JsonObject) -> Iterator[str]:
    number = _word(value, "display_phone_number")
    if number:
        yield f"It is about the number {number}."
    yield _meaning(value, "decision", words.NAME_REVIEWS)


def _review(value: JsonObject) -> Iterator[str]:
    yield _meaning(value, "decision", words.REVIEWS)


def _capability(value: JsonObject) -> Iterator[str]:
    yield _limit(
        _word(value, "max_daily_conversations_per_business") or _word(value, "max_daily_conversation_per_phone")
    )
    numbers = _word(value, "max_phone_numbers_per_business")
    yield f"The business may have {numbers} numbers." if numbers else ""


def _alert(value: JsonObject) -> Iterator[str]:
    described = _word(value, "alert_description") or _word(record(value.get("alert_info")), "alert_description")
    yield f"Meta says: {described}" if described else ""


def _template_state(value: JsonObject) -> Iterator[str]:
    yield _meaning(value, "event", words.TEMPLATE_STATES)
    reason = _word(value, "reason")
    if known := words.TEMPLATE_REASONS.get(reason.upper()):
        yield f"The reason: {known}."
    other = record(value.get("other_info"))
    if pause := words.PAUSES.get(_word(other, "title").upper()):
        yield f"It is {pause}."
    for told in (_word(other, "description"), _word(record(value.get("rejection_info")), "reason")):
        yield f"Meta says: {told}" if told else ""
    advice = _word(record(value.get("rejection_info")), "recommendation")
    yield f"Meta advises: {advice}" if advice else ""
    ends = _word(record(value.get("disable_info")), "disable_date")
    yield f"It ends on {ends}." if ends else ""


def _template_quality(value: JsonObject) -> Iterator[str]:
    yield _meaning(value, "new_quality_score", words.TEMPLATE_QUALITIES)


def _template_category(value: JsonObject) -> Iterator[str]:
    """Done, or a day ahead: then `new_category` is still the present one."""
    before, now = _word(value, "previous_category"), _word(value, "new_category")
    coming = _word(value, "correct_category")
    if coming:
        yield f"In a day it will be {coming}; until then it is {now or 'what it is'}. That changes what it costs."
        yield f"Ask Meta for a review in {words.MANAGER} if that is wrong."
    elif now:
        yield f"It is {now} now{f', and was {before}' if before else ''}. That changes what it costs."


def _detected_category(value: JsonObject) -> Iterator[str]:
    if found := _word(value, "correct_category"):
        yield f"Meta holds it for {found}. Change its category or what it says, before Meta restricts such templates."


_READERS: Mapping[str, Callable[[JsonObject], Iterator[str]]] = {
    "account_alerts": _alert,
    "account_review_update": _review,
    "account_update": _account,
    "business_capability_update": _capability,
    "message_template_quality_update": _template_quality,
    "message_template_status_update": _template_state,
    "phone_number_name_update": _name,
    "phone_number_quality_update": _number,
    "template_category_update": _template_category,
    "template_correct_category_detection": _detected_category,
}


def _meaning(value: JsonObject, name: str, known: Mapping[str, str]) -> str:
    return known.get(_word(value, name).upper(), "")


def _word(value: JsonObject, name: str) -> str:
    return _short(value.get(name))


def _short(value: Any) -> str:
    return " ".join((clean(value) or "")[:_LONGEST].split())
