"""A template in Meta's own words, as a program wrote it: read as far as the list of templates can judge it.

Source: Meta's page on template messages. What is not understood here is no mistake: Meta decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.core.content import FilledCard, Native, Parameter, Template
from relay.core.templates.check import mistakes, unfillable
from relay.core.templates.listed import ListedTemplate
from relay.core.templates.values import TemplateMistake

MOST = 100
"""Components, parameters or cards of one kind; no template has so many."""
FILES = ("image", "video", "document")


class _UnknownFormError(ValueError):
    """A form that nobody here knows; never leaves this module."""


@dataclass(slots=True)
class _Filling:
    """What components say, of the whole template or of a card."""

    body: list[Parameter] = field(default_factory=list)
    header: list[Parameter] = field(default_factory=list)
    file: str | None = None
    urls: dict[int, str] = field(default_factory=dict)
    answers: int = 0
    cards: list[FilledCard] = field(default_factory=list)
    offer_ends: float | None = None


def template_of(native: Native) -> tuple[str, str] | None:
    """Name and language of the template, if it is one."""
    given = record(native.fields.get("template")) if native.type == "template" else {}
    name, language = clean(given.get("name")), clean(record(given.get("language")).get("code"))
    return (name, language) if name and language else None


def wrong(native: Native, languages: Sequence[ListedTemplate]) -> list[TemplateMistake]:
    """What keeps it from being sent, as of a template that the relay fills in itself."""
    named = template_of(native)
    if named is None or any(_own_words_only(one) for one in languages if one.language == named[1]):
        return []
    try:
        found = _filling(record(native.fields["template"]).get("components"))
    except _UnknownFormError:
        return []
    wanted = Template(
        *named,
        tuple(found.body),
        tuple(found.header),
        tuple(found.urls.items()),
        cards=tuple(found.cards),
        offer_ends=found.offer_ends,
    )
    return mistakes(languages, wanted, found.file, found.answers)


def _own_words_only(listed: ListedTemplate) -> bool:
    """Whether it has parts that only Meta's own words fill: of these nothing can be said."""
    return listed.shape is not None and any(True for _ in unfillable("", listed.shape))


def _filling(components: Any) -> _Filling:
    found = _Filling()
    for one in _several(components):
        match (clean(one.get("type")) or "").lower():
            case "header":
                _take_header(one, found)
            case "body":
                found.body += [_text(each) for each in _several(one.get("parameters"))]
            case "button":
                _take_button(one, found)
            case "carousel":
                found.cards += _cards(one.get("cards"))
            case "limited_time_offer":
                found.offer_ends = _end(one)
            case _:
                raise _UnknownFormError
    return found


def _several(value: Any) -> Iterator[dict[str, Any]]:
    """Objects of a list that may be missing."""
    if value is not None and not (isinstance(value, list) and len(value) <= MOST and all(map(_is_object, value))):
        raise _UnknownFormError
    return islice(records(value), MOST)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _text(parameter: dict[str, Any]) -> Parameter:
    kind = clean(parameter.get("type"))
    if kind in ("currency", "date_time"):
        value = record(parameter.get(kind)).get("fallback_value")
    elif kind == "text":
        value = parameter.get("text")
    else:
        raise _UnknownFormError
    if not isinstance(value, str):
        raise _UnknownFormError
    return Parameter(value, clean(parameter.get("parameter_name")))


def _take_header(component: dict[str, Any], found: _Filling) -> None:
    for one in _several(component.get("parameters")):
        kind = clean(one.get("type"))
        if kind in FILES:
            file = record(one.get(kind))
            found.file = kind if file.get("id") or file.get("link") else None
        else:
            found.header.append(_text(one))


def _take_button(component: dict[str, Any], found: _Filling) -> None:
    """Buttons that need nothing of the list's, such as those that open a form, are none of its business."""
    kind = (clean(component.get("sub_type")) or "").lower()
    if kind == "quick_reply":
        found.answers += 1
    if kind not in ("url", "copy_code"):
        return
    for one in _several(component.get("parameters")):
        value = one.get("coupon_code") if kind == "copy_code" else one.get("text")
        if not isinstance(value, str):
            raise _UnknownFormError
        found.urls[_place(component.get("index"))] = value


def _place(value: Any) -> int:
    text = str(value)
    if isinstance(value, bool) or not (len(text) == 1 and text in "0123456789"):
        raise _UnknownFormError
    return int(text)


def _cards(value: Any) -> Iterator[FilledCard]:
    cards = {_place(one.get("card_index")): _filling(one.get("components")) for one in _several(value)}
    for place in sorted(cards):
        one = cards[place]
        kind: Literal["image", "video"] = "video" if one.file == "video" else "image"
        if one.header or one.cards or one.offer_ends is not None or one.file not in (None, kind):
            raise _UnknownFormError
        yield FilledCard(kind, "uploaded" if one.file else "", tuple(one.body), tuple(one.urls.items()))


def _end(component: dict[str, Any]) -> float | None:
    for one in _several(component.get("parameters")):
        at = record(one.get("limited_time_offer")).get("expiration_time_ms")
        if isinstance(at, bool) or not isinstance(at, int):
            raise _UnknownFormError
        return at / 1000
    return None
