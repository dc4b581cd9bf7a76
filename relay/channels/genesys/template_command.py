"""/template: how an agent sends an approved template, since Genesys' composer knows none for Open Messaging.

    /template order_update en_US
    Ada
    total=19.90
    header: https://example.org/order.pdf
    button 1: 4711

First name and language; then the body's parameters in order, or each with its name; what fills the
header (a text, or the address of a file); what completes the address of a link button, counted from 1.
On one line: /template order_update en_US | Ada | 4711
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from relay.channels.genesys.commands import Command, UnreadableError, sections, words_of
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME, Parameter, Template
from relay.core.filenames import cleaned, type_of
from relay.core.messages import Media, MediaKind, Message

MOST_BUTTONS = 10
HOW = (
    "the template could not be read; write /template, its name and its language in the first line, and each "
    "parameter of its text in a line of its own"
)
_KEYWORD = re.compile(r"(header|footer|body|button)(?:[ \t]+([0-9]{1,9}))?[ \t]*[:\uff1a](.*)", re.IGNORECASE)
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_]*)[ \t]*[=\uff1d](.*)")
_KINDS: dict[str, MediaKind] = {"image": "image", "video": "video"}


@dataclass(slots=True)
class _Found:
    body: list[Parameter] = field(default_factory=list)
    header: str | None = None
    urls: dict[int, str] = field(default_factory=dict)


def is_name(text: str) -> bool:
    return re.fullmatch(TEMPLATE_NAME, text) is not None


def is_language(text: str) -> bool:
    """As Meta writes it: en, en_US, fil."""
    return re.fullmatch(TEMPLATE_LANGUAGE, text) is not None


def applied(message: Message, text: str) -> Message:
    """A file that came along is the header's, answers are the buttons'. Raises UnreadableError."""
    template, file = _read(text)
    return replace(message, type="template", template=template, media=message.media or file)


COMMAND = Command("/template", applied, HOW, type="template", whole_word=False)


def _read(text: str) -> tuple[Template, Media | None]:
    """The template, and the file in its header."""
    first, rest = sections(text)
    words = words_of(first)
    if len(words) != 3 or words[0].lower() != COMMAND.word or not is_name(words[1]) or not is_language(words[2]):
        raise UnreadableError("a template needs a name and a language")
    found = _Found()
    for line in filter(None, rest) if len(text.splitlines()) > 1 else rest:
        _take(line, found)
    if len({parameter.name is None for parameter in found.body}) > 1:
        raise UnreadableError("parameters have names or they have none")
    file = _file(found.header) if found.header and re.match(r"https?://", found.header, re.IGNORECASE) else None
    header = (Parameter(found.header),) if found.header and not file else ()
    return Template(words[1], words[2], tuple(found.body), header, tuple(sorted(found.urls.items()))), file


def _take(line: str, found: _Found) -> None:
    """One line or piece."""
    if not line:
        raise UnreadableError("a parameter is empty")
    if keyword := _KEYWORD.fullmatch(line):
        _take_keyword(keyword[1].lower(), keyword[2], keyword[3].strip(), found)
    elif named := _NAMED.fullmatch(line):
        _take_named(named[1], named[2].strip(), found)
    else:
        found.body.append(Parameter(line))


def _take_keyword(word: str, place: str | None, value: str, found: _Found) -> None:
    if not value:
        raise UnreadableError(f"{word} is empty")
    if word == "header" and place is None and found.header is None:
        found.header = value
        return
    number = int(place) - 1 if word == "button" and place else -1
    if not 0 <= number < MOST_BUTTONS or number in found.urls:
        raise UnreadableError(f"{word} is not understood, or was given before")
    found.urls[number] = value


def _take_named(name: str, value: str, found: _Found) -> None:
    if not value or not name.islower() or any(parameter.name == name for parameter in found.body):
        raise UnreadableError("a named parameter is empty, not in lower case, or was given before")
    found.body.append(Parameter(value, name))


def _file(url: str) -> Media:
    """What kind of file it is has to be known before it is fetched: its address tells."""
    try:
        name = urlsplit(url).path.rpartition("/")[2]
    except ValueError as error:
        raise UnreadableError("the header's address is none") from error
    kind = _KINDS.get((type_of(name) or "").partition("/")[0], "document")
    return Media(kind=kind, source_url=url, filename=cleaned(unquote(name)) or None, public=True)
