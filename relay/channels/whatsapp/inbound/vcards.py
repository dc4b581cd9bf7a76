"""Shared contacts: as text for the agent's eye, and as a vCard for whoever wants to keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import vobject

from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.core.languages import phrase, together
from relay.core.messages import Media

Card = dict[str, Any]

_MOST_CARDS = 50
_MOST_VALUES = 50
_SEVERAL = {
    "phones": phrase("[and %(count)s more phone numbers]"),
    "emails": phrase("[and %(count)s more e-mail addresses]"),
    "urls": phrase("[and %(count)s more web addresses]"),
    "addresses": phrase("[and %(count)s more addresses]"),
}
_LONGEST_VALUE = 500
_LONGEST_FILE = 128 * 1024
_LONGEST_FILENAME = 60
_WORD = re.compile(r"[A-Za-z]{1,20}")
_VCARD = re.compile(r"\s*BEGIN:VCARD\b.*\bEND:VCARD\s*", re.IGNORECASE | re.DOTALL)


def text(contacts: Any) -> str:
    cards = list(islice(records(contacts), _MOST_CARDS + 1))
    shown = [_as_text(card) for card in cards[:_MOST_CARDS]]
    if len(cards) > _MOST_CARDS:
        shown.append(phrase("[and more contacts]"))
    return together(shown or [phrase("👤 Contact")], "\n\n")


def media(contacts: Any) -> Media | None:
    """All cards in one file; None where there is nothing but names, which the text says already.

    The text says what the file does, so a side that does not take vCards loses nothing.
    """
    cards = [card for card in islice(records(contacts), _MOST_CARDS) if _worth_keeping(card)]
    content = ""
    for card in cards:
        content += _as_vcard(card).strip() + "\r\n"
        if len(content) > _LONGEST_FILE:
            return None  # at once: writing them all would hold up everybody else's messages
    if not content:
        return None
    name = re.sub(r"[^\w .-]", "", _name(cards[0]))[:_LONGEST_FILENAME].strip(" .") if len(cards) == 1 else "contacts"
    return Media("document", "text/vcard", filename=f"{name or 'contact'}.vcf", inline=content, optional=True)


def _as_text(card: Card) -> str:
    org = record(card.get("org"))
    head = phrase("Shared their own phone number") if card.get("origin") == "contact_request" else None
    lines = [head, f"👤 {name}" if (name := _name(card)) else phrase("👤 Contact")]
    lines.append(joined((org.get("title"), org.get("department"), org.get("company")), ", "))
    lines += [_number(phone) for phone in _several(card, "phones")]
    lines += [clean(email.get("email")) or "" for email in _several(card, "emails")]
    lines += [clean(url.get("url")) or "" for url in _several(card, "urls")]
    lines += [_address(address) for address in _several(card, "addresses")]
    birthday = clean(card.get("birthday"))
    return joined((*lines, phrase("Born %(date)s", date=birthday) if birthday else None, *_left_out(card)))


def _left_out(card: Card) -> Iterator[str]:
    """What is there and neither shown nor in the file: nothing that a customer sends vanishes without a word."""
    for name, several in _SEVERAL.items():
        more = sum(1 for _ in records(card.get(name))) - _MOST_VALUES
        if more > 0:
            yield phrase(several, count=more)


def _name(card: Card) -> str:
    name = record(card.get("name"))
    return clean(name.get("formatted_name")) or joined(
        (name.get(part) for part in ("prefix", "first_name", "middle_name", "last_name", "suffix")), " "
    )


def _number(phone: Card) -> str:
    return clean(phone.get("phone")) or clean(phone.get("wa_id")) or ""


def _address(item: Card) -> str:
    return joined((item.get(key) for key in ("street", "zip", "city", "state", "country")), ", ")


def _worth_keeping(card: Card) -> bool:
    return any(map(_number, _several(card, "phones"))) or any(
        clean(entry.get(key))
        for name, key in (("emails", "email"), ("urls", "url"), ("addresses", "street"), ("addresses", "city"))
        for entry in _several(card, name)
    )


def _several(card: Card, name: str) -> Iterator[Card]:
    return islice(records(card.get(name)), _MOST_VALUES)


def _as_vcard(card: Card) -> str:
    """The one that came with it, where one did (it may hold more than the fields), else one made of the fields."""
    given = clean(card.get("vcard")) or ""
    if len(given) <= _LONGEST_FILE and _VCARD.fullmatch(given):
        return given
    made = vobject.vCard()
    name = record(card.get("name"))
    made.add("fn").value = _line(_name(card)) or "Contact"
    made.add("n").value = vobject.vcard.Name(
        family=_line(name.get("last_name")),
        given=_line(name.get("first_name")) or ("" if _line(name.get("last_name")) else _line(_name(card))),
        additional=_line(name.get("middle_name")),
        prefix=_line(name.get("prefix")),
        suffix=_line(name.get("suffix")),
    )
    _add_work(made, card)
    for kind, line, type_of in _lines(card):
        _add(made, kind, line, type_of)
    for address in _several(card, "addresses"):
        _add(made, "adr", _vcard_address(address), address.get("type"))
    serialized: str = made.serialize()
    return serialized


def _lines(card: Card) -> Iterator[tuple[str, str, Any]]:
    for phone in _several(card, "phones"):
        yield "tel", _line(_number(phone)), phone.get("type")
    for email in _several(card, "emails"):
        yield "email", _line(email.get("email")), email.get("type")
    for url in _several(card, "urls"):
        yield "url", _line(url.get("url")), url.get("type")
    yield "bday", _line(card.get("birthday")), None


def _add_work(made: Any, card: Card) -> None:
    org = record(card.get("org"))
    if _line(org.get("company")):
        made.add("org").value = [part for name in ("company", "department") if (part := _line(org.get(name)))]
    _add(made, "title", _line(org.get("title")), None)


def _vcard_address(item: Card) -> Any:
    found = {name: _line(item.get(key)) for name, key in _ADDRESS.items()}
    return vobject.vcard.Address(**found) if any(found.values()) else None


_ADDRESS = {"street": "street", "city": "city", "region": "state", "code": "zip", "country": "country"}


def _add(made: Any, kind: str, value: Any, type_of: Any) -> None:
    if not value:
        return
    line = made.add(kind)
    line.value = value
    word = clean(type_of) or ""
    if _WORD.fullmatch(word):
        line.type_param = word.upper()


def _line(value: Any) -> str:
    """One line of bounded length: what a vCard's line may hold without becoming another one."""
    return "".join(
        character if character.isprintable() else " " for character in (clean(value) or "")[:_LONGEST_VALUE]
    ).strip()
