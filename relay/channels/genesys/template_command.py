"""/template: how an agent sends an approved template, since Genesys' composer knows none for Open Messaging.

    /template order_update en_US
    Ada
    total=19.90
    header: https://example.org/order.pdf
    button 1: 4711

First name and language; then the body's parameters in order, or each with its name; what fills the
header (a text, or the address of a file); what completes the address of a link button, counted from 1.
Of a carousel each line of a card begins with its number: "card 1: Boots", "card 1 header: https://…",
"card 1 button 1: 42".
Of an offer for a limited time: "offer ends: 2026-12-24 18:00 +01:00".
On one line: /template order_update en_US | Ada | 4711
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import unquote, urlsplit

from relay.channels.genesys.commands import Command, UnreadableError, sections, words_of
from relay.core.content import TEMPLATE_LANGUAGE, TEMPLATE_NAME, FilledCard, Parameter, Template
from relay.core.filenames import cleaned, type_of
from relay.core.languages import phrase
from relay.core.messages import Media, MediaKind, Message

MOST_BUTTONS = 10
MOST_CARDS = 10
HOW = phrase(
    "the template could not be read; write /template, its name and its language in the first line, and each "
    "parameter of its text in a line of its own"
)
_KEYWORD = re.compile(r"(header|footer|body|button)(?:[ \t]+([0-9]{1,9}))?[ \t]*[:\uff1a](.*)", re.IGNORECASE)
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_]*)[ \t]*[=\uff1d](.*)")
_OF_CARD = re.compile(r"card[ \t]+([0-9]{1,9})[ \t]*(?:[:\uff1a]|(?=[ \t](?:header|button)\b))(.*)", re.IGNORECASE)
_OFFER = re.compile(r"offer[ \t]+ends[ \t]*[:\uff1a](.*)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_KINDS: dict[str, MediaKind] = {"image": "image", "video": "video"}


@dataclass(slots=True)
class _Found:
    body: list[Parameter] = field(default_factory=list)
    header: str | None = None
    urls: dict[int, str] = field(default_factory=dict)
    cards: dict[int, _Found] = field(default_factory=dict)
    offer_ends: float | None = None


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
    file = _file(found.header) if found.header and _ADDRESS.match(found.header) else None
    header = (Parameter(found.header),) if found.header and not file else ()
    cards = tuple(_card(found.cards[place]) for place in sorted(found.cards))
    if set(found.cards) != set(range(len(cards))):
        raise UnreadableError("cards are numbered from 1, without a gap")
    return Template(
        words[1], words[2], _alike(found.body), header, _ends(found), cards=cards, offer_ends=found.offer_ends
    ), file


def _alike(body: list[Parameter]) -> tuple[Parameter, ...]:
    if len({parameter.name is None for parameter in body}) > 1:
        raise UnreadableError("parameters have names or they have none")
    return tuple(body)


def _ends(found: _Found) -> tuple[tuple[int, str], ...]:
    return tuple(sorted(found.urls.items()))


def _card(found: _Found) -> FilledCard:
    """Its header is always a file, which Meta fetches itself."""
    link = found.header or ""
    if link and not link.lower().startswith("https://"):
        raise UnreadableError("the header of a card is the address of a picture or video")
    kind = (type_of(_name_of(link)) or "").partition("/")[0]
    return FilledCard("video" if kind == "video" else "image", link, _alike(found.body), _ends(found))


def _take(line: str, found: _Found) -> None:
    """One line or piece."""
    if not line:
        raise UnreadableError("a parameter is empty")
    if of_card := _OF_CARD.fullmatch(line):
        _take_value(of_card[2].strip(), _card_of(int(of_card[1]), found))
    elif offer := _OFFER.fullmatch(line):
        _take_offer(offer[1].strip(), found)
    else:
        _take_value(line, found)


def _card_of(number: int, found: _Found) -> _Found:
    if not 1 <= number <= MOST_CARDS:
        raise UnreadableError("cards are counted from 1, to 10 at most")
    return found.cards.setdefault(number - 1, _Found())


def _take_offer(value: str, found: _Found) -> None:
    words = value.split()
    if len(words) > 1 and words[-1][0] in "+-Zz":  # people part a zone from its time, ISO 8601 does not
        words[-2:] = [words[-2] + words[-1]]
    try:
        moment = datetime.fromisoformat(" ".join(words))
    except ValueError as error:
        raise UnreadableError("that is no moment") from error
    if moment.tzinfo is None or found.offer_ends is not None:
        raise UnreadableError("a moment needs its zone, as +01:00 or Z, and stands once")
    found.offer_ends = moment.timestamp()


def _take_value(line: str, found: _Found) -> None:
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
    name = _name_of(url)
    kind = _KINDS.get((type_of(name) or "").partition("/")[0], "document")
    return Media(kind=kind, source_url=url, filename=cleaned(unquote(name)) or None, public=True)


def _name_of(url: str) -> str:
    try:
        return urlsplit(url).path.rpartition("/")[2]
    except ValueError as error:
        raise UnreadableError("the header's address is none") from error
