"""The templates of a business account, page by page, each as the relay describes it.

Source: Meta's GET /{WABA_ID}/message_templates, its fields and components as typed by public clients in autumn 2026.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, JsonObject, TemplateList
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure
from relay.channels.whatsapp.outbound import native_templates
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME, Native
from relay.core.messages import dump
from relay.core.templates.listed import (
    LimitedOffer,
    ListedTemplate,
    ShapeButton,
    ShapeCard,
    ShapeHeader,
    TemplateShape,
    places,
)
from relay.core.templates.values import TemplateMistake

FIELDS = "id,name,language,status,category,components,parameter_format,quality_score,rejected_reason,correct_category"
PER_PAGE = 100
MOST = 6000
"""So many templates an account may have; pages follow from that."""
MOST_BYTES = 16 * 1024 * 1024
"""Of all, as they are kept; and of one, or it is kept without what it is made of."""
LONGEST = 32 * 1024
LEAST_SECONDS = 1.0
"""Left for another page; with less the list ends where it is."""
_LONG, _SHORT, _PARTS = 4096, 200, 20
_WORD = re.compile(r"[A-Z0-9_]{1,40}")


class WhatsAppCatalogue:
    """The contract of base.Catalogue."""

    def __init__(self, client: WhatsAppClient) -> None:
        self._client = client

    def templates(self, account: Account, deadline: float) -> TemplateList:
        """All pages, within `deadline`; what comes late, or is too much, leaves the list without its end."""
        waba, found, size = account.credentials.get("waba_id", ""), list[ListedTemplate](), 0
        query = {"fields": FIELDS, "limit": str(PER_PAGE)}
        for number in range(MOST // PER_PAGE):
            if number and (time.monotonic() > deadline - LEAST_SECONDS or size > MOST_BYTES):
                return TemplateList(waba, tuple(found), whole=False)
            data = self._page(waba, account, deadline, query)
            listed = [template for one in islice(records(data.get("data")), PER_PAGE) if (template := described(one))]
            found += listed
            size += sum(len(dump(one)) for one in listed)
            paging = record(data.get("paging"))
            after = clean(record(paging.get("cursors")).get("after"))
            if not after or not paging.get("next"):
                return TemplateList(waba, tuple(found), whole=True)
            query = {**query, "after": after}
        return TemplateList(waba, tuple(found), whole=False)

    def named(self, native: Native) -> str | None:
        found = native_templates.template_of(native)
        return found[0] if found is not None and re.fullmatch(TEMPLATE_NAME, found[0]) else None

    def wrong(self, native: Native, languages: Sequence[ListedTemplate]) -> list[TemplateMistake]:
        return native_templates.wrong(native, languages)

    def _page(self, waba: str, account: Account, deadline: float, query: dict[str, str]) -> JsonObject:
        answer = self._client.get(f"/{quote(waba, safe='')}/message_templates", account, deadline, query)
        if answer.status >= 300 or not isinstance(answer.data, dict) or "error" in answer.data:
            raise failure(answer, account.credentials.values())
        return answer.data


def described(item: JsonObject) -> ListedTemplate | None:
    """One template of the answer; None: it cannot be sent by the name or language that it has."""
    name, language = clean(item.get("name")) or "", clean(item.get("language")) or ""
    if not re.fullmatch(TEMPLATE_NAME, name) or not re.fullmatch(TEMPLATE_LANGUAGE, language):
        return None
    template = ListedTemplate(
        name,
        language,
        _word(item.get("status")) or "UNKNOWN",
        _word(item.get("category")) or "UNKNOWN",
        _word(record(item.get("quality_score")).get("score")) or "UNKNOWN",
        _shape(item),
        (clean(item.get("id")) or "")[:64],
        "" if (reason := _word(item.get("rejected_reason"))) == "NONE" else reason,
        _word(item.get("correct_category")),
    )
    return template if len(dump(template)) <= LONGEST else replace(template, shape=None)


def _shape(item: JsonObject) -> TemplateShape | None:
    """None where it has no components, or more than a template has: then nothing is known of it."""
    if not isinstance(item.get("components"), list):
        return None
    parts = {_word(one.get("type")): one for one in islice(records(item["components"]), _PARTS)}
    body, offer = parts.get("BODY", {}), record(parts.get("LIMITED_TIME_OFFER", {}).get("limited_time_offer"))
    return TemplateShape(
        _text(body.get("text"), _LONG),
        _word(item.get("parameter_format")) == "NAMED",
        _header(parts.get("HEADER")),
        _text(parts.get("FOOTER", {}).get("text"), _SHORT),
        tuple(_buttons(parts.get("BUTTONS", {}))),
        tuple(map(_card, islice(records(parts.get("CAROUSEL", {}).get("cards")), _PARTS))),
        LimitedOffer(_text(offer.get("text"), _SHORT), offer.get("has_expiration") is True) if offer else None,
        _examples(_text(body.get("text"), _LONG), record(body.get("example"))),
    )


def _header(part: JsonObject | None) -> ShapeHeader | None:
    found = _word(part.get("format")) if part else ""
    return ShapeHeader(found, _text(record(part).get("text"), _SHORT)) if found else None


def _buttons(part: JsonObject) -> Iterator[ShapeButton]:
    for one in islice(records(part.get("buttons")), _PARTS):
        yield ShapeButton(
            _word(one.get("type")),
            _text(one.get("text"), _SHORT),
            _text(one.get("url"), _LONG),
            _text(one.get("phone_number"), _SHORT),
        )


def _card(item: JsonObject) -> ShapeCard:
    parts = {_word(one.get("type")): one for one in islice(records(item.get("components")), _PARTS)}
    body = _text(parts.get("BODY", {}).get("text"), _LONG)
    return ShapeCard(_header(parts.get("HEADER")), body, tuple(_buttons(parts.get("BUTTONS", {}))))


def _examples(text: str, example: JsonObject) -> dict[str, str]:
    """By place, as far as there are any."""
    named = {
        _text(one.get("param_name"), _SHORT): _text(one.get("example"), _SHORT)
        for one in islice(records(example.get("body_text_named_params")), _PARTS)
    }
    if named:
        return {place: named[place] for place in places(text) if named.get(place)}
    rows = example.get("body_text")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else []
    values = (_text(one, _SHORT) for one in row)
    return {place: value for place, value in zip(places(text), values, strict=False) if value}


def _text(value: Any, longest: int) -> str:
    return (clean(value) or "")[:longest]


def _word(value: Any) -> str:
    word = (clean(value) or "").upper()
    return word if _WORD.fullmatch(word) else ""
