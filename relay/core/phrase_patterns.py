"""Which phrase a stored sentence was. Pure.

Findings, reasons and the like are kept as English sentences, for the API, for logs and for searches. Whoever reads them
on a page in another language is told the phrase that they are, with its values. A sentence that somebody else wrote and
that reads just like one of ours is said in the language, too: it means the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from relay.core.languages import phrase

LONGEST = 4000
"""Characters; the longest reason that is kept has fewer."""
DEPTH = 3
"""A reason within a reason within a reason."""
ENOUGH_LETTERS = 4
"""A pattern with fewer beside its places says too little: half of all texts would be one."""
_PLACE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    names: tuple[str, ...]
    between: tuple[str, ...]
    """What stands before the first place, between them, and behind the last."""

    @property
    def letters(self) -> int:
        return sum(map(str.isalpha, "".join(self.between)))

    def values(self, text: str) -> dict[str, str] | None:
        """What stands at its places; None where the text is another. Each word is looked for once, so it is quick."""
        first, *inner, last = self.between
        if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
            return None
        at, end, found = len(first), len(text) - len(last), []
        for one in inner:
            place = text.find(one, at, end)
            if place < 0:
                return None
            found.append(text[at:place])
            at = place + len(one)
        found.append(text[at:end])
        return dict(zip(self.names, found, strict=True)) if all(found) else None


class Patterns:
    """All phrases that there are, by their English patterns."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._whole: set[str] = set()
        found = []
        for text in texts:
            *pieces, last = _PLACE.split(text)
            names = tuple(pieces[1::2])
            one = _Pattern(text, names, (*pieces[::2], last))
            if not names:
                self._whole.add(text)
            elif one.letters >= ENOUGH_LETTERS and len(set(names)) == len(names):
                found.append(one)
        # Of two that fit, the one that says more itself.
        self._with_places = sorted(found, key=lambda one: -one.letters)

    def phrase_of(self, text: str, depth: int = DEPTH) -> str:
        """The phrase that the text is, and so on in its values; the text itself where it is none."""
        if text in self._whole:
            return phrase(text)
        if depth == 0 or len(text) > LONGEST:
            return text
        for one in self._with_places:
            if (values := one.values(text)) is not None:
                return phrase(one.text, **{name: self.phrase_of(value, depth - 1) for name, value in values.items()})
        return text
