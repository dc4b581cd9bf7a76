"""News of a template in words: what happened, why, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from relay.channels.whatsapp.inbound.template_news import template_news
from relay.core.templates.news import in_words

NAMED = {"message_template_name": "sale", "message_template_language": "en", "message_template_id": 12}
STATUS, CATEGORY = "message_template_status_update", "template_category_update"

ROWS: list[tuple[str, dict[str, Any], str, str]] = [
    (STATUS, {"event": "APPROVED", "reason": "NONE"}, "it is approved", ""),
    (STATUS, {"event": "APPROVED", "other_info": {"title": "UNPAUSE"}}, "it is no longer paused", ""),
    (STATUS, {"event": "REINSTATED", "reason": None}, "it is approved", ""),
    (STATUS, {"event": "REJECTED", "reason": "PROMOTIONAL", "rejection_info": {"recommendation": "Say less."}},
     "it is rejected: it advertises, which this category may not", "Change it in the WhatsApp Manager and submit it "
     "again, or appeal there. Say less."),
    (STATUS, {"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Too many blocks."}},
     "it is paused for 3 hours, since customers blocked or reported it: Too many blocks.",
     "Send it to fewer people, and to those only who expect it; Meta ends the pause by itself."),
    (STATUS, {"event": "DISABLED", "disable_info": {"disable_date": 1790000000}}, "it is disabled",
     "Make another template in the WhatsApp Manager."),
    (STATUS, {"event": "BEFRIENDED"}, "Meta says of it: befriended", ""),
    ("message_template_quality_update", {"previous_quality_score": "GREEN", "new_quality_score": "RED"},
     "its quality went from green to red", "Send it to those only who expect it, or Meta pauses it."),
    ("message_template_quality_update", {"new_quality_score": "GREEN"}, "its quality went from unknown to green", ""),
    ("message_template_components_update", {"message_template_element": "Hi"},
     "its text or its buttons were changed; the relay has it described anew", ""),
    (CATEGORY, {"previous_category": "UTILITY", "new_category": "MARKETING"},
     "its category has changed from utility to marketing", "Messages cost what the new category costs."),
    (CATEGORY, {"new_category": "UTILITY", "correct_category": "MARKETING", "category_update_timestamp": 1790000000},
     "Meta will make it marketing on 21 September 2026, 14:13 UTC; until then it is utility",
     "If that is wrong, ask for a review in the WhatsApp Manager."),
    ("template_correct_category_detection", {"category": "UTILITY", "correct_category": "MARKETING"},
     "Meta thinks that it should be marketing; until then it is utility",
     "If that is wrong, ask for a review in the WhatsApp Manager."),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "text", "advice"), ROWS)
def test_news_say_what_happened_and_what_to_do(field: str, value: dict[str, Any], text: str, advice: str) -> None:
    news = template_news(field, "200", NAMED | value)
    assert news is not None
    assert (in_words(news).text, in_words(news).advice) == (text, advice)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_update", NAMED),
        (STATUS, {}),
        (STATUS, NAMED | {"message_template_name": "Not A Name"}),
        (STATUS, NAMED | {"message_template_name": ["sale"]}),
        (STATUS, NAMED | {"message_template_language": "english_please_now"}),
    ],
)
def test_what_names_no_template_is_no_news_of_one(field: str, value: dict[str, Any]) -> None:
    assert template_news(field, "200", value) is None


@pytest.mark.parametrize("odd", [None, 7, [], {}, "x" * 10_000, {"title": ["x"]}, True])
@pytest.mark.parametrize("name", ["event", "reason", "other_info", "rejection_info", "disable_info", "new_category"])
def test_odd_values_break_nothing(name: str, odd: Any) -> None:
    for field in (STATUS, CATEGORY, "message_template_quality_update"):
        news = template_news(field, odd, NAMED | {name: odd})
        assert news is not None
        assert len(in_words(news).text) < 1000
