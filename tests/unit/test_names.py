"""One meaning per word: no two classes of the product share a name. docs/glossary.md has the words themselves."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("conf", "db", "demo", "relay", "sandbox", "web")
PARALLEL = [
    {"relay/channels/genesys", "relay/channels/whatsapp"},
    {"sandbox/genesys", "sandbox/meta"},
]
"""Folders of providers: what plays the same part in each may have the same name there."""
ONE_MEANING: dict[str, str] = {}
"""Names that stand twice for the same thing, with the reason."""
TO_BE_RENAMED: dict[str, int] = {}
"""What still has several meanings. This table only shrinks: nothing is added, and what is mended is taken out."""
LIKE_ITS_FOLDER = {"relay/core/conversation/conversation.py", "relay/intake/intake.py"}
"""Modules whose folder is about one thing, and they are it."""


def test_no_class_name_has_two_meanings() -> None:
    several = {name: len(places) for name, places in _places().items() if len(places) > 1 and not _parallel(places)}
    assert {name for name, count in several.items() if count > TO_BE_RENAMED.get(name, 1)} <= set(ONE_MEANING)


def test_nothing_stays_listed_that_is_mended() -> None:
    places = _places()
    assert [name for name, count in TO_BE_RENAMED.items() if len(places[name]) < count] == []
    assert [name for name in ONE_MEANING if len(places[name]) < 2] == []


def test_a_module_says_more_than_its_folder() -> None:
    """`messages/messages.py` tells nobody what is in it, and hides the other `messages` where both are imported."""
    stuttering = {str(path.relative_to(ROOT)) for path in _sources() if path.stem == path.parent.name}
    assert stuttering <= LIKE_ITS_FOLDER


def test_every_class_that_the_glossary_names_exists() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text()
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", table))
    assert named - set(_places()) == set()
    assert named


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def _places() -> dict[str, list[str]]:
    """Class name to the files that define it."""
    found = defaultdict[str, list[str]](list)
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(str(path.relative_to(ROOT)))
    return found


def _parallel(places: list[str]) -> bool:
    """Whether each stands in another one of the folders that mirror each other."""
    return any(
        sorted(folder for place in places for folder in mirrored if place.startswith(f"{folder}/")) == sorted(mirrored)
        and len(places) == len(mirrored)
        for mirrored in PARALLEL
    )
