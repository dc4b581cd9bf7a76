"""May this template go out as it is filled in? Asked by page, API, the agents' convention and the fallback. Pure.

Source: Meta's pages on template messages and on routing them; codes 132000, 132001, 132005, 132012, 132015, 132016,
132018 are what it answers otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from relay.core.content import Template
from relay.core.templates.cards import wrong_cards, wrong_offer
from relay.core.templates.listed import FILES, STOPPED, ListedTemplate, TemplateShape
from relay.core.templates.values import (
    ARTICLE,
    AskedTemplate,
    TemplateMistake,
    listed_words,
    wrong_ends,
    wrong_values,
)

HEADER, BODY, BODY_ALONE = 60, 1024, 32_768
"""Characters of one value: in a header, in a body that has company, in one that has none."""
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
        there = listed_words(sorted(one.language for one in languages))
        text = f"the template {given.name} exists in {there}, not in {given.language}; write the language like that"
        return [TemplateMistake("language", text)]
    title = f"the template {found.name} ({found.language})"
    if sure and found.status in STOPPED:
        return [TemplateMistake("name", f"{title} {_STATUS[found.status]}; only an approved template can be sent")]
    if found.shape is None:
        return []
    return list(_of_shape(AskedTemplate(title, found.shape, found.category), given, file, answers))


def unfillable(title: str, shape: TemplateShape) -> Iterator[TemplateMistake]:
    """What has parts that the relay has no values for: a program can send it in Meta's own words."""
    if shape.header is not None and shape.header.format == "LOCATION":
        yield TemplateMistake("header", f"{title} has a place on the map in its header, which the relay cannot fill")
    if any(one.type in ("MPM", "SPM") for one in shape.buttons):
        yield TemplateMistake("name", f"{title} shows products of a catalogue, which the relay cannot name")
    if any(one.header is not None and one.header.format == "PRODUCT" for one in shape.cards):
        yield TemplateMistake("name", f"{title} shows products on its cards, which the relay cannot name")


def _of_shape(asked: AskedTemplate, given: Template, file: str | None, answers: int) -> Iterator[TemplateMistake]:
    yield from unfillable(asked.title, asked.shape)
    yield from _header(asked, given, file)
    longest = BODY_ALONE if asked.shape.only_body else BODY
    yield from wrong_values(asked, "parameters", "body", asked.shape.body, given.body, longest)
    yield from _buttons(asked, given, answers)
    yield from wrong_cards(asked, given)
    yield from wrong_offer(asked, given)


def _header(asked: AskedTemplate, given: Template, file: str | None) -> Iterator[TemplateMistake]:
    header, title = asked.shape.header, asked.title
    wanted = header.format if header else "NONE"
    if wanted in FILES:
        if file is None:
            yield TemplateMistake("header", f"{title} needs {ARTICLE[wanted]} in its header")
        elif file.upper() != wanted:
            yield TemplateMistake("header", f"{title} needs {ARTICLE[wanted]} in its header, not {_file(file)}")
    elif wanted in ("TEXT", "NONE"):
        if file is not None:
            yield TemplateMistake("header", f"{title} takes no file: its header is {_text_or_none(wanted)}")
        yield from wrong_values(asked, "header", "header", header.text if header else "", given.header, HEADER)


def _text_or_none(wanted: str) -> str:
    return "a text" if wanted == "TEXT" else "empty"


def _file(kind: str) -> str:
    return ARTICLE.get(kind.upper(), f"a file of the kind {kind}")


def _buttons(asked: AskedTemplate, given: Template, answers: int) -> Iterator[TemplateMistake]:
    buttons, code = asked.shape.buttons, given.body[0].text if given.body else None
    yield from wrong_ends(asked, "urls", "", buttons, given.urls, code)
    replies = sum(one.type == "QUICK_REPLY" for one in buttons)
    if answers > replies:
        text = f"{asked.title} has {replies} button{'' if replies == 1 else 's'} to answer with, not {answers}"
        yield TemplateMistake("buttons", text)
