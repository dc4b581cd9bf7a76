"""What of a text can be seen. The one place that knows which characters show as nothing, by Unicode's own properties.

People paste such characters without knowing: word joiners, direction marks, fillers of other scripts. Whatever compares
words, reads commands or shows names asks here.
"""

from __future__ import annotations

import unicodedata

import regex

_BRAILLE_BLANK = "\u2800"
_IGNORABLE = (
    rf"[\p{{Default_Ignorable_Code_Point}}[\p{{Cf}}--\p{{Prepended_Concatenation_Mark}}]\p{{Cc}}{_BRAILLE_BLANK}]"
)
_UNSEEN = rf"[{_IGNORABLE}\p{{White_Space}}]"
# Signs that change how the one before them looks: at a text's end they are part of it.
_STYLING = r"[\p{Variation_Selector}\U000E0020-\U000E007F]"

_ignorable = regex.compile(rf"(?V1){_IGNORABLE}+")
_unseen = regex.compile(rf"(?V1){_UNSEEN}+")
_seen = regex.compile(rf"(?V1)[^{_UNSEEN}]")
_beginning = regex.compile(rf"(?V1)\A{_UNSEEN}+")
_end = regex.compile(rf"(?V1r)[{_UNSEEN}--{_STYLING}]+\Z")


def blank(text: str) -> bool:
    """Nothing of it can be seen."""
    return _seen.search(text) is None


def visible(text: str) -> str:
    """The text without anything that shows as nothing, blanks included: what is left can be seen."""
    found: str = _unseen.sub("", text)
    return found


def trimmed(text: str) -> str:
    """The text without what cannot be seen at its beginning and its end; "" where nothing can be seen."""
    return _end.sub("", _beginning.sub("", text)) if not blank(text) else ""


def as_word(text: str) -> str:
    """For comparison with words that a machine knows: signs in their usual width and form, and none that is unseen.

    Blanks between words stay, and so do capitals.
    """
    shown = _ignorable.sub(lambda found: " " if any(map(str.isspace, found[0])) else "", text)
    return unicodedata.normalize("NFKC", shown).strip()
