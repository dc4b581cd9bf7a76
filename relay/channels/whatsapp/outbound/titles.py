"""Titles of buttons and rows: short, each its own, never empty. What is cut off stands in full elsewhere.

Source: Meta's interactive-reply-buttons and interactive-list pages; two equal titles are refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from relay.channels.text import pieces
from relay.channels.whatsapp.limits import BUTTON_TITLE, ROW_DESCRIPTION, ROW_TITLE
from relay.core.content import Option
from relay.core.lengths import units
from relay.core.visible import visible


class ListRow(NamedTuple):
    """One line of a list."""

    title: str
    description: str | None


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def cut(text: str, limit: int) -> str:
    """The text on one line, with "…" where its end is missing."""
    line = one_line(text)
    return line if units(line) <= limit else f"{pieces(line, limit - 1)[0]}…"


def button_titles(options: Sequence[Option]) -> list[str]:
    """Numbered as in `listed`, as soon as one of them is cut."""
    return _titles(options, BUTTON_TITLE) if buttons_tell_all(options) else _numbered(options, BUTTON_TITLE)


def rows(options: Sequence[Option]) -> list[ListRow]:
    """A title that is cut stands in full in its description; what is too long even for that, in `listed`."""
    titles = _titles(options, ROW_TITLE)
    described = map(_described, options, titles)
    if not rows_tell_all(options):
        titles = _numbered(options, ROW_TITLE)
    return [ListRow(title, cut(text, ROW_DESCRIPTION) or None) for title, text in zip(titles, described, strict=True)]


def buttons_tell_all(options: Sequence[Option]) -> bool:
    """Whether buttons hold everything that is to be read of these options."""
    return not any(map(_described, options, _titles(options, BUTTON_TITLE)))


def rows_tell_all(options: Sequence[Option]) -> bool:
    """Whether a list holds everything that is to be read of these options."""
    if any(units(one_line(option.section)) > ROW_TITLE for option in options):
        return False
    return all(units(text) <= ROW_DESCRIPTION for text in map(_described, options, _titles(options, ROW_TITLE)))


def listed(options: Sequence[Option]) -> str:
    """All that is to be read of these options, numbered from 1, below the headings of their sections."""
    lines, heading = [], ""
    for number, option in enumerate(options, 1):
        section = one_line(option.section)
        if section and section != heading:
            lines.append(section)
        heading = section
        lines.append(f"{number}. {_whole(option)}".rstrip())
    return "\n".join(lines)


def bulleted(options: Sequence[Option]) -> str:
    """The options' names, for a list that has no text of its own."""
    return "\n".join(f"• {line}" for line in map(one_line, (option.text for option in options)) if line)


def _titles(options: Sequence[Option], limit: int) -> list[str]:
    """Numbered only where they are alike, or one of them shows as nothing."""
    titles = [cut(option.text, limit) for option in options]
    alike = len(set(titles)) < len(titles)
    return _numbered(options, limit) if alike or not all(map(_visible, titles)) else titles


def _numbered(options: Sequence[Option], limit: int) -> list[str]:
    return [cut(f"{number}. {option.text}", limit) for number, option in enumerate(options, 1)]


def _visible(title: str) -> bool:
    """Letters, digits or symbols: a title of blanks or of formatting marks shows as nothing."""
    return any(unicodedata.category(char)[0] in "LNS" and char not in "~`" for char in visible(title))


def _addition(option: Option) -> str:
    """The description, where it says something else than the title."""
    text = one_line(option.description)
    return "" if text == one_line(option.text) else text


def _whole(option: Option) -> str:
    return " – ".join(filter(None, (one_line(option.text), _addition(option))))


def _described(option: Option, title: str) -> str:
    """What is still to be read of the option below this title of it."""
    return _addition(option) if one_line(option.text) in title else _whole(option)
