"""Meta's webhooks about templates, as news of one template each."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

from relay.channels.base import JsonObject
from relay.channels.http.reading import joined, record
from relay.channels.text import clean, unix_seconds
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME
from relay.core.templates.news import NewsKind, TemplateNews

_KINDS: dict[str, NewsKind] = {
    "message_template_status_update": "status",
    "message_template_quality_update": "quality",
    "message_template_components_update": "components",
    "template_category_update": "category",
    "template_correct_category_detection": "detection",
}
_WORD = re.compile(r"[A-Z0-9_]{1,40}")
_LONGEST = 500


def template_news(field: str, waba_id: Any, value: JsonObject) -> TemplateNews | None:
    """None: the change is no news of a template, or names none that could be found again."""
    kind = _KINDS.get(field)
    name, language = (clean(value.get(f"message_template_{one}")) or "" for one in ("name", "language"))
    if kind is None or not re.fullmatch(TEMPLATE_NAME, name) or not re.fullmatch(TEMPLATE_LANGUAGE, language):
        return None
    rejection, other = record(value.get("rejection_info")), record(value.get("other_info"))
    told = joined((other.get("description"), rejection.get("reason"), rejection.get("recommendation")), " ")
    news = TemplateNews(
        kind,
        (clean(waba_id) or "")[:64],
        name,
        language,
        time.time(),
        template_id=(clean(value.get("message_template_id")) or "")[:64],
        reason=_word(value.get("reason")),
        title=_word(other.get("title")),
        told=told[:_LONGEST],
    )
    return _with_values(news, value)


def _with_values(news: TemplateNews, value: JsonObject) -> TemplateNews:
    match news.kind:
        case "status":
            return replace(news, value=_status(_word(value.get("event"))))
        case "quality":
            former, new = _word(value.get("previous_quality_score")), _word(value.get("new_quality_score"))
            return replace(news, value=new, former=former)
        case "category" | "detection":
            return _category(news, value)
    return news


def _category(news: TemplateNews, value: JsonObject) -> TemplateNews:
    """Done where Meta names the category before; else `new_category` is the one that counts until it is changed."""
    previous, new, correct = (_word(value.get(f"{one}_category")) for one in ("previous", "new", "correct"))
    if news.kind == "category" and previous and new and not correct:
        return replace(news, value=new, former=previous)
    current = new or _word(value.get("message_template_category")) or _word(value.get("category"))
    due = value.get("category_update_timestamp")
    return replace(news, value=correct, former=current, done=False, due=unix_seconds(due) if due else None)


def _status(event: str) -> str:
    """What the news leave the template as."""
    return {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED", "UNPAUSED": "APPROVED"}.get(event, event)


def _word(value: Any) -> str:
    word = (clean(value) or "").upper().replace("-", "_")
    return word if _WORD.fullmatch(word) and word != "NONE" else ""
