"""News of accounts, numbers and templates: each value that Meta names has words, and what nobody knows is shown."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.whatsapp.inbound import account_words as words
from relay.channels.whatsapp.inbound.parse import parse
from relay.channels.whatsapp.webhook import split
from relay.core.messages import Notice


def told(field: str, value: dict[str, Any], waba: str = "900000000000001") -> str:
    [update] = split({"entry": [{"id": waba, "changes": [{"field": field, "value": value}]}]})
    [event] = parse(update.payload)
    assert isinstance(event, Notice)
    assert event.kind == field
    return event.reason


def ref(value: dict[str, Any], field: str = "account_update") -> str:
    [update] = split({"entry": [{"id": "900", "changes": [{"field": field, "value": value}]}]})
    return update.line_ref


KNOWN = [
    ("account_update", "event", words.ACCOUNT_EVENTS),
    ("account_review_update", "decision", words.REVIEWS),
    ("phone_number_name_update", "decision", words.NAME_REVIEWS),
    ("phone_number_quality_update", "event", words.NUMBER_EVENTS),
    ("message_template_status_update", "event", words.TEMPLATE_STATES),
    ("message_template_quality_update", "new_quality_score", words.TEMPLATE_QUALITIES),
]


@pytest.mark.parametrize(
    ("field", "name", "value", "meaning"),
    [(field, name, value, meaning) for field, name, known in KNOWN for value, meaning in known.items()],
)
def test_a_value_is_shown_with_what_it_means_and_what_to_do(field: str, name: str, value: str, meaning: str) -> None:
    for written in (value, value.lower()):
        found = told(field, {name: written})
        assert written in found
        assert meaning in found


@pytest.mark.parametrize(("field", "name"), [(field, name) for field, name, _ in KNOWN])
def test_a_value_of_next_year_is_shown_as_it_is(field: str, name: str) -> None:
    assert "MOON_PHASE" in told(field, {name: "MOON_PHASE"})


@pytest.mark.parametrize("reason", [*words.DISCONNECTIONS, "SUN_STORM"])
@pytest.mark.parametrize(("by", "who"), [*words.INITIATORS.items(), ("PARTNER", "PARTNER")])
def test_why_a_number_was_disconnected(reason: str, by: str, who: str) -> None:
    found = told(
        "account_update", {"event": "PARTNER_REMOVED", "disconnection_info": {"reason": reason, "initiated_by": by}}
    )
    assert f"disconnected {who}: {reason}" in found
    assert words.DISCONNECTIONS.get(reason, "") in found


@pytest.mark.parametrize("kind", [*words.RESTRICTIONS, "RESTRICTED_CALLING", "RESTRICTED_SINGING"])
def test_what_is_restricted_until_when_and_what_to_do(kind: str) -> None:
    info = [{"restriction_type": kind, "expiration": "1790000000", "remediation": "Wait"}]
    found = told("account_update", {"event": "ACCOUNT_RESTRICTION", "restriction_info": info})
    assert f"{kind} until 1790000000." in found
    assert "Meta says: Wait" in found
    meaning = words.CALLING if "CALL" in kind else words.RESTRICTIONS.get(kind, "")
    assert meaning in found


@pytest.mark.parametrize("state", [*words.BANS, "PERHAPS"])
def test_whether_the_account_is_banned_and_from_when(state: str) -> None:
    info = {"waba_ban_state": state, "waba_ban_date": "December 1, 2026"}
    found = told("account_update", {"event": "DISABLED_UPDATE", "ban_info": info})
    assert f"{state}, December 1, 2026." in found
    assert words.BANS.get(state, "") in found


@pytest.mark.parametrize(
    ("limit", "shown"),
    [
        ("TIER_250", "250 people"),
        ("TIER_2K", "2,000 people"),
        ("TIER_100K", "100,000 people"),
        ("TIER_UNLIMITED", "Any number of people"),
        (-1, "Any number of people"),
        (10000, "10,000 people"),
        ("TIER_MANY", "TIER_MANY"),
    ],
)
@pytest.mark.parametrize("field", ["phone_number_quality_update", "business_capability_update"])
def test_how_many_people_may_be_written_to(field: str, limit: object, shown: str) -> None:
    assert shown in told(field, {"max_daily_conversations_per_business": limit})


@pytest.mark.parametrize("reason", words.TEMPLATE_REASONS)
@pytest.mark.parametrize("pause", words.PAUSES)
def test_why_a_template_cannot_be_sent(reason: str, pause: str) -> None:
    found = told(
        "message_template_status_update",
        {
            "event": "PAUSED",
            "reason": reason,
            "message_template_name": "order",
            "message_template_language": "de",
            "other_info": {"title": pause, "description": "Too many blocks"},
            "rejection_info": {"reason": "A price", "recommendation": "Leave it out"},
            "disable_info": {"disable_date": "1790000000"},
        },
    )
    for part in (words.TEMPLATE_REASONS[reason], words.PAUSES[pause], "Too many blocks", "A price", "Leave it out"):
        assert part in found
    assert "order" in found


def test_a_category_that_changes_tomorrow_is_not_one_that_has_changed() -> None:
    field = "template_category_update"
    assert "It is MARKETING now, and was UTILITY" in told(
        field, {"previous_category": "UTILITY", "new_category": "MARKETING"}
    )
    coming = {"correct_category": "MARKETING", "new_category": "UTILITY", "category_update_timestamp": 1790000000}
    assert "In a day it will be MARKETING; until then it is UTILITY" in told(field, coming)
    assert "Meta holds it for MARKETING" in told(
        "template_correct_category_detection", {"correct_category": "MARKETING"}
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_update", {"event": "ACCOUNT_VIOLATION", "phone_number": "+1 555-000-2222"}),
        ("phone_number_quality_update", {"event": "FLAGGED", "display_phone_number": "15550002222"}),
        ("phone_number_name_update", {"decision": "APPROVED", "display_phone_number": "+15550002222"}),
        ("security", {"event": "PIN_CHANGED", "display_phone_number": "15550002222"}),
    ],
)
def test_news_of_one_number_names_it(field: str, value: dict[str, Any]) -> None:
    assert ref(value, field) == "account:900/15550002222"


def test_news_of_the_whole_account_name_no_number() -> None:
    assert ref({"event": "DISABLED_UPDATE"}) == "account:900"
    assert ref({"event": "DISABLED_UPDATE", "phone_number": "all of them"}) == "account:900"


def test_news_of_partners_name_their_account_inside() -> None:
    """Where it usually stands is the business portfolio."""
    assert ref({"event": "PARTNER_REMOVED", "waba_info": {"waba_id": "901", "owner_business_id": "1"}}) == "account:901"
    assert ref({"event": "PARTNER_REMOVED", "waba_info": {"waba_id": ["x"]}}) == "account:900"


@pytest.mark.parametrize("odd", [None, 5, [], "x", {"a": 1}, [[]], [{"restriction_type": {}}], "9" * 5000])
@pytest.mark.parametrize("name", ["restriction_info", "ban_info", "disconnection_info", "event", "phone_number",
                                  "max_daily_conversations_per_business", "other_info", "rejection_info"])  # fmt: skip
def test_nothing_odd_breaks_it(name: str, odd: object) -> None:
    for field, _, _ in KNOWN:
        assert len(told(field, {name: odd})) <= 1000
