"""What is put into the places of a template and into its buttons: does each fit? Pure.

Source: Meta's pages on template messages; codes 132000, 132005, 132012 and 132018 are what it answers otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from relay.core.content import Parameter
from relay.core.lengths import units
from relay.core.templates.listed import CODE_BUTTONS, ShapeButton, TemplateShape, places

CODE, URL_END = 15, 2000
"""Characters of a code, and of a link's end."""
ARTICLE = {"IMAGE": "a picture", "VIDEO": "a video", "DOCUMENT": "a document"}
_UNTIDY = re.compile(r"[\n\r\t\u2028\u2029]| {4,}")


@dataclass(frozen=True, slots=True)
class TemplateMistake:
    """`where` is name, language, parameters, header, urls, buttons, cards or offer_ends; `text` a sentence that names
    place and template."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class AskedTemplate:
    """`title` is how a sentence calls it."""

    title: str
    shape: TemplateShape
    category: str


def wrong_values(
    asked: AskedTemplate, where: str, part: str, text: str, given: Sequence[Parameter], longest: int
) -> Iterator[TemplateMistake]:
    """`part` is what a sentence calls the place where `text` stands, as "body" or "card 2"."""
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
            yield TemplateMistake(where, f"{asked.title} needs a value for {shown(place)} in its {part}")
    for place in values:
        if place not in wanted:
            yield TemplateMistake(where, _too_many(asked, part, place, wanted, by_name=by_name))
        else:
            yield from _wrong_value(where, f"{shown(place)} in {_the(part)} of {asked.title}", values[place], longest)


def _by_place(given: Sequence[Parameter], wanted: Sequence[str], *, by_name: bool) -> dict[str, str]:
    if by_name:
        return {one.name or "": one.text for one in given}
    beyond = [str(place) for place in range(len(wanted) + 1, len(given) + 1)]
    return dict(zip([*wanted, *beyond], (one.text for one in given), strict=False))


def _other_way(asked: AskedTemplate, part: str, wanted: Sequence[str], *, by_name: bool) -> str:
    if not wanted:
        return f"{asked.title} has nothing to fill in in its {part}"
    how = "by name" if by_name else "by their place, without names"
    return f"{asked.title} takes the values of its {part} {how}: {listed_words([shown(one) for one in wanted])}"


def _too_many(asked: AskedTemplate, part: str, place: str, wanted: Sequence[str], *, by_name: bool) -> str:
    has = f"has only {listed_words([shown(one) for one in wanted])}" if wanted else "has nothing to fill in"
    what = f"{shown(place)}" if by_name else f"a value number {place}"
    return f"{asked.title} {has} in its {part}; {what} has no place there"


def _wrong_value(where: str, which: str, value: str, longest: int) -> Iterator[TemplateMistake]:
    if not value.strip():
        yield TemplateMistake(where, f"{which} is empty")
    elif _UNTIDY.search(value):
        trouble = "holds a line break, a tab or four spaces in a row, which WhatsApp takes in no template"
        yield TemplateMistake(where, f"{which} {trouble}")
    elif units(value) > longest:
        yield TemplateMistake(where, f"{which} has {units(value):,} characters, {longest:,} fit")


def wrong_ends(
    asked: AskedTemplate,
    where: str,
    owner: str,
    buttons: Sequence[ShapeButton],
    given: Iterable[tuple[int, str]],
    code: str | None,
) -> Iterator[TemplateMistake]:
    """What completes links, and the codes that buttons copy. `owner` is the card that they stand on, as "card 2 of ";
    `code` stands in the text above."""
    ends = dict(given)
    for place, button in enumerate(buttons):
        which = f'the button {place + 1} ("{button.text}") of {owner}{asked.title}'
        yield from _wrong_end(asked, where, which, button, ends.get(place), code)
    for place in sorted(set(ends) - set(range(len(buttons)))):
        yield TemplateMistake(where, f"{owner}{asked.title} has no button {place + 1}")


def _wrong_end(
    asked: AskedTemplate, where: str, which: str, button: ShapeButton, end: str | None, code: str | None
) -> Iterator[TemplateMistake]:
    coded = asked.category == "AUTHENTICATION" and button.type in CODE_BUTTONS
    copied = coded or button.type == "COPY_CODE"
    wanted = copied or (button.type == "URL" and bool(places(button.url)))
    if end is None:
        if wanted:
            yield TemplateMistake(where, f"{which} needs {'the code' if copied else 'the end of its address'}")
    elif not wanted:
        yield TemplateMistake(where, f"{which} has nothing to fill in")
    elif coded and code is not None and end != code:
        yield TemplateMistake(where, f"{which} has to hold the same code as {{{{1}}}} in its body")
    else:
        yield from _wrong_value(where, which, end, CODE if copied else URL_END)


def _the(part: str) -> str:
    return part if part.startswith("card ") else f"the {part}"


def shown(place: str) -> str:
    return f"{{{{{place}}}}}"


def listed_words(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
