"""News of a template: what Meta's webhooks tell, and the same in words with what to do. Pure.

Source: Meta's webhook references message_template_status_update, message_template_quality_update,
message_template_components_update, template_category_update and template_correct_category_detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from relay.core.templates.listed import SENDABLE, STOPPED

NewsKind = Literal["status", "quality", "components", "category", "detection"]
MOST_KEPT = 10
"""News of one template that are kept, the newest."""

_REASONS = {
    "ABUSIVE_CONTENT": "its content was found abusive",
    "INCORRECT_CATEGORY": "its category is not the right one",
    "INVALID_FORMAT": "its form is not allowed, mostly a variable at the beginning or the end, or two in a row",
    "PROMOTIONAL": "it advertises, which this category may not",
    "SCAM": "it was taken for a fraud",
    "TAG_CONTENT_MISMATCH": "language or category do not match what it says",
    "CATEGORY_NOT_AVAILABLE": "this account may not use that category",
}
_TITLES = {
    "FIRST_PAUSE": "paused for 3 hours, since customers blocked or reported it",
    "SECOND_PAUSE": "paused for 6 hours, since customers went on to block or report it",
    "RATE_LIMITING_PAUSE": "paused, since too many of it were sent in a short time",
    "UNPAUSE": "no longer paused",
    "DISABLED": "disabled for good, since customers went on to block or report it",
}
_TODO = {
    "REJECTED": "Change it in the WhatsApp Manager and submit it again, or appeal there.",
    "PAUSED": "Send it to fewer people, and to those only who expect it; Meta ends the pause by itself.",
    "DISABLED": "Make another template in the WhatsApp Manager.",
    "FLAGGED": "Send it to those only who expect it, or Meta pauses it.",
    "ARCHIVED": "Bring it back in the WhatsApp Manager; after 28 days it is deleted.",
}


@dataclass(frozen=True, slots=True)
class TemplateNews:
    """What one webhook told of one language of a template. `at` is in Unix seconds; absent means untold."""

    kind: NewsKind
    waba_id: str
    name: str
    language: str
    at: float
    template_id: str = ""
    value: str = ""
    """The new status, quality or category; of category news it counts at once only if `done`."""
    former: str = ""
    done: bool = True
    due: float | None = None
    """When Meta will change the category."""
    reason: str = ""
    title: str = ""
    told: str = ""
    """Meta's own words, and what it recommends."""


@dataclass(frozen=True, slots=True)
class NewsInWords:
    text: str
    advice: str = ""


def in_words(news: TemplateNews) -> NewsInWords:
    if news.kind == "status":
        return _status(news)
    if news.kind == "quality":
        return _quality(news)
    if news.kind == "components":
        return NewsInWords("its text or its buttons were changed; the relay has it described anew")
    return _category(news)


def _status(news: TemplateNews) -> NewsInWords:
    what = _TITLES.get(news.title) or news.value.replace("_", " ").lower() or "has another status"
    why = _REASONS.get(news.reason, "")
    text = f"it is {what}" if news.value in (*SENDABLE, *STOPPED) or news.title else f"Meta says of it: {what}"
    return NewsInWords(": ".join(filter(None, (text, why or news.told))), _advice(news, why))


def _advice(news: TemplateNews, why: str) -> str:
    advice = _TODO.get(news.value, "")
    return " ".join(filter(None, (advice, news.told if why else "")))


def _quality(news: TemplateNews) -> NewsInWords:
    text = f"its quality went from {_word(news.former)} to {_word(news.value)}"
    return NewsInWords(text, _TODO["FLAGGED"] if news.value in ("RED", "YELLOW") else "")


def _category(news: TemplateNews) -> NewsInWords:
    if news.done:
        text = f"its category has changed from {_word(news.former)} to {_word(news.value)}"
        return NewsInWords(text, "Messages cost what the new category costs.")
    when = f" on {datetime.fromtimestamp(news.due, UTC):%d %B %Y, %H:%M} UTC" if news.due else ""
    what = "will make it" if news.kind == "category" else "thinks that it should be"
    advice = "If that is wrong, ask for a review in the WhatsApp Manager."
    return NewsInWords(f"Meta {what} {_word(news.value)}{when}; until then it is {_word(news.former)}", advice)


def _word(value: str) -> str:
    return value.replace("_", " ").lower() or "unknown"
