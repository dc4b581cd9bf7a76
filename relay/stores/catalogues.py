"""The catalogues in which the words for people stand, a `.po` file for each language in `relay/translations`.

One is read when the first text in its language is wanted, and stays. So nothing has to be built before, in a fresh
clone as in a wheel; a catalogue of two thousand texts takes a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from relay.core.languages import DEFAULT, LANGUAGES, Phrase

TRANSLATIONS = Path(__file__).parents[1] / "translations"


@cache
def catalogue(language: str) -> NullTranslations:
    """The words of one language. English needs none: it stands in the code."""
    if language == DEFAULT or language not in LANGUAGES:
        return NullTranslations()
    with path(language).open("rb") as file:
        held = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, held)
    compiled.seek(0)
    return Translations(compiled)


def say(text: str, language: str) -> str:
    """A phrase, or any text that a catalogue has, in the language; else as it is."""
    if not text:
        return ""
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


def path(language: str) -> Path:
    """Where the file is."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
