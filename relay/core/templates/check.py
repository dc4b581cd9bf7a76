"""May this template go out as it is filled in? Asked by page, API, the agents' convention and the fallback. Pure.

Source: Meta's pages on template messages and on routing them; codes 132000, 132001, 132005, 132012, 132015, 132016,
132018 are what it answers otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from relay.core.content import Parameter, Template
from relay.core.lengths import units
from relay.core.templates.listed import CODE_BUTTONS, FILES, STOPPED, ListedTemplate, ShapeButton, TemplateShape, places

HEADER, BODY, BODY_ALONE, CODE, URL_END = 60, 1024, 32_768, 15, 2000
"""Characters of one value: in a header, in a body that has company, in one that has none, a code, a link's end."""
_UNTIDY = re.compile(r"[\n\r\t\u2028\u2029]| {4,}")
_ARTICLE = {"IMAGE": "a picture", "VIDEO": "a video", "DOCUMENT": "a document"}
_STATUS = {
    "PENDING": "waits for Meta's approval",
    "REJECTED": "was refused by Meta",
    "PAUSED": "is paused by Meta, since customers complained about it",
    "DISABLED": "is disabled by Meta for good",
    "IN_APPEAL": "is disputed with Meta",
    "PENDING_DELETION": "is being deleted",
    "DELETED": "was deleted",
    "LIMIT_EXCEEDED": "has reached Meta's limit",
    "LOCKED": "is locked by Meta",
    "ARCHIVED": "is archived",
}


@dataclass(frozen=True, slots=True)
class TemplateMistake:
    """`where` is name, language, parameters, header, urls or buttons; `text` a sentence that names place, template."""

    where: str
    text: str


def mistakes(
    languages: Sequence[ListedTemplate], given: Template, file: str | None = None, answers: int = 0
) -> list[TemplateMistake]:
    """All that keeps it from being sent; none: it may go, or nobody here can tell and Meta decides.

    `languages`: all that are listed of the template. `file` is the kind of the file in its header (image,
    video, document), `answers` how many quick replies it is sent with. What a doubtful list lacks, or says is stopped,
    is no mistake.
    """
    if not languages:
        return []
    found = next((one for one in languages if one.language == given.language), None)
    sure = not any(one.doubtful for one in languages)
    if found is None:
        if not sure:
            return []
        there = _listed(sorted(one.language for one in languages))
        text = f"the template {given.name} exists in {there}, not in {given.language}; write the language like that"
        return [TemplateMistake("language", text)]
    title = f"the template {found.name} ({found.language})"
    if sure and found.status in STOPPED:
        return [TemplateMistake("name", f"{title} {_STATUS[found.status]}; only an approved template can be sent")]
    if found.shape is None:
        return []
    return list(_of_shape(_Asked(title, found.shape, found.category), given, file, answers))


@dataclass(frozen=True, slots=True)
class _Asked:
    title: str
    shape: TemplateShape
    category: str


def _of_shape(asked: _Asked, given: Template, file: str | None, answers: int) -> Iterator[TemplateMistake]:
    yield from _unfillable(asked)
    yield from _header(asked, given, file)
    longest = BODY_ALONE if asked.shape.only_body else BODY
    yield from _values(asked, "parameters", "body", asked.shape.body, given.body, longest)
    yield from _buttons(asked, given, answers)


def _unfillable(asked: _Asked) -> Iterator[TemplateMistake]:
    """What has parts that the relay has no values for."""
    shape, title = asked.shape, asked.title
    if shape.cards:
        yield TemplateMistake("name", f"{title} is a carousel, whose cards the relay cannot fill")
    if shape.offer is not None and shape.offer.expires:
        yield TemplateMistake("name", f"{title} holds an offer that ends at a moment, which the relay cannot give")
    if any(one.type in ("MPM", "SPM") for one in shape.buttons):
        yield TemplateMistake("name", f"{title} shows products of a catalogue, which the relay cannot name")


def _header(asked: _Asked, given: Template, file: str | None) -> Iterator[TemplateMistake]:
    header, title = asked.shape.header, asked.title
    wanted = header.format if header else "NONE"
    if wanted == "LOCATION":
        yield TemplateMistake("header", f"{title} has a place on the map in its header, which the relay cannot fill")
    elif wanted in FILES:
        if file is None:
            yield TemplateMistake("header", f"{title} needs {_ARTICLE[wanted]} in its header")
        elif file.upper() != wanted:
            yield TemplateMistake("header", f"{title} needs {_ARTICLE[wanted]} in its header, not {_file(file)}")
    elif wanted in ("TEXT", "NONE"):
        if file is not None:
            yield TemplateMistake("header", f"{title} takes no file: its header is {_text_or_none(wanted)}")
        yield from _values(asked, "header", "header", header.text if header else "", given.header, HEADER)


def _text_or_none(wanted: str) -> str:
    return "a text" if wanted == "TEXT" else "empty"


def _file(kind: str) -> str:
    return _ARTICLE.get(kind.upper(), f"a file of the kind {kind}")


def _values(
    asked: _Asked, where: str, part: str, text: str, given: Sequence[Parameter], longest: int
) -> Iterator[TemplateMistake]:
    wanted = places(text)
    if not given and not wanted:
        return
    named = {one.name for one in given if one.name is not None}
    # Meta takes a header's single value by its place; the convention and the API name no header's value.
    by_name = asked.shape.named and (where != "header" or bool(named))
    if given and by_name != bool(named):
        yield TemplateMistake(where, _other_way(asked, part, wanted, by_name=by_name))
        return
    values = _by_place(given, wanted, by_name=by_name)
    for place in wanted:
        if place not in values:
            yield TemplateMistake(where, f"{asked.title} needs a value for {_shown(place)} in its {part}")
    for place in values:
        if place not in wanted:
            yield TemplateMistake(where, _too_many(asked, part, place, wanted, by_name=by_name))
        else:
            yield from _value(asked, where, f"{_shown(place)} in the {part} of", values[place], longest)


def _by_place(given: Sequence[Parameter], wanted: Sequence[str], *, by_name: bool) -> dict[str, str]:
    if by_name:
        return {one.name or "": one.text for one in given}
    beyond = [str(place) for place in range(len(wanted) + 1, len(given) + 1)]
    return dict(zip([*wanted, *beyond], (one.text for one in given), strict=False))


def _other_way(asked: _Asked, part: str, wanted: Sequence[str], *, by_name: bool) -> str:
    if not wanted:
        return f"{asked.title} has nothing to fill in in its {part}"
    how = "by name" if by_name else "by their place, without names"
    return f"{asked.title} takes the values of its {part} {how}: {_listed([_shown(one) for one in wanted])}"


def _too_many(asked: _Asked, part: str, place: str, wanted: Sequence[str], *, by_name: bool) -> str:
    has = f"has only {_listed([_shown(one) for one in wanted])}" if wanted else "has nothing to fill in"
    what = f"{_shown(place)}" if by_name else f"a value number {place}"
    return f"{asked.title} {has} in its {part}; {what} has no place there"


def _value(asked: _Asked, where: str, which: str, value: str, longest: int) -> Iterator[TemplateMistake]:
    if not value.strip():
        yield TemplateMistake(where, f"{which} {asked.title} is empty")
    elif _UNTIDY.search(value):
        trouble = "holds a line break, a tab or four spaces in a row, which WhatsApp takes in no template"
        yield TemplateMistake(where, f"{which} {asked.title} {trouble}")
    elif units(value) > longest:
        yield TemplateMistake(where, f"{which} {asked.title} has {units(value):,} characters, {longest:,} fit")


def _buttons(asked: _Asked, given: Template, answers: int) -> Iterator[TemplateMistake]:
    buttons, ends = asked.shape.buttons, dict(given.urls)
    for place, button in enumerate(buttons):
        yield from _button(asked, place, button, ends, given)
    for place in sorted(set(ends) - set(range(len(buttons)))):
        yield TemplateMistake("urls", f"{asked.title} has no button {place + 1}")
    replies = sum(one.type == "QUICK_REPLY" for one in buttons)
    if answers > replies:
        text = f"{asked.title} has {replies} button{'' if replies == 1 else 's'} to answer with, not {answers}"
        yield TemplateMistake("buttons", text)


def _button(
    asked: _Asked, place: int, button: ShapeButton, ends: Mapping[int, str], given: Template
) -> Iterator[TemplateMistake]:
    which = f'the button {place + 1} ("{button.text}") of'
    code = asked.category == "AUTHENTICATION" and button.type in CODE_BUTTONS
    wanted = code or button.type == "COPY_CODE" or (button.type == "URL" and bool(places(button.url)))
    end = ends.get(place)
    if end is None:
        if wanted:
            what = "the code" if code or button.type == "COPY_CODE" else "the end of its address"
            yield TemplateMistake("urls", f"{which} {asked.title} needs {what}")
    elif not wanted:
        yield TemplateMistake("urls", f"{which} {asked.title} has nothing to fill in")
    elif code and given.body and end != given.body[0].text:
        yield TemplateMistake("urls", f"{which} {asked.title} has to hold the same code as {{{{1}}}} in its body")
    else:
        yield from _value(asked, "urls", which, end, CODE if code or button.type == "COPY_CODE" else URL_END)


def _shown(place: str) -> str:
    return f"{{{{{place}}}}}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
