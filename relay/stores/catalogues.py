"""The catalogues in which the words for people stand, a `.po` file for each language in `relay/translations`.

One is read when the first text in its language is wanted, and stays. So nothing has to be built before, in a fresh
clone as in a wheel; a catalogue of two thousand texts takes a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from relay.core.languages import DEFAULT, LANGUAGES

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


def path(language: str) -> Path:
    """Where the file is."""
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
