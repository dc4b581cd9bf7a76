"""The catalogues in which the words for people stand, a `.po` file for each language in `relay/translations`.

One is read when the first text in its language is wanted, and stays. So nothing has to be built before, in a fresh
clone as in a wheel; a catalogue of two thousand texts takes a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from relay.core.languages import DEFAULT, LANGUAGES, Phrase
from relay.core.phrase_patterns import Patterns

TRANSLATIONS = Path(__file__).parents[1] / "translations"


@cache
def catalogue(language: str) -> NullTranslations:
    """The words of one language. English needs none: it stands in the code."""
    if language == DEFAULT or language not in LANGUAGES:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return Translations(compiled)


def say(text: str, language: str) -> str:
    """A phrase, or any text that a catalogue has, in the language; else as it is.

    What was stored in English is a phrase no more: which it was is told by its words.
    """
    if not text:
        return ""
    if not isinstance(text, Phrase) and language in LANGUAGES and language != DEFAULT:
        text = _patterns(language).phrase_of(text)
    known = catalogue(language)
    if not isinstance(text, Phrase):
        return str(known.gettext(text))
    values = {name: _value(value, language) for name, value in text.values.items()}
    pattern = str(known.gettext(text.pattern))
    return pattern % values if values else pattern


def _value(value: Any, language: str) -> Any:
    if isinstance(value, int):
        return format_decimal(value, locale=language)
    return say(value, language) if isinstance(value, Phrase) else value


@cache
def _patterns(language: str) -> Patterns:
    """Of what the relay and its database say; what only pages say is never stored."""
    return Patterns(str(one.id) for one in _read(language) if one.id and any(map(_stored, one.locations)))


def _stored(location: tuple[str, int]) -> bool:
    return location[0].startswith(("relay/", "db/"))


def _read(language: str) -> Catalog:
    with path(language).open("rb") as file:
        return read_po(file, locale=language)


def path(language: str) -> Path:
    """Where the file is."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
