"""Every text for people is in every catalogue, whole; and what a page says is marked for translation.

English stands in the code. `OPEN` names what is not translated yet: it may only shrink.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from relay.core.languages import DEFAULT, LANGUAGES
from relay.stores import catalogues
from tests.unit import bare_text
from web.api.tenants.tenant_schemas import Language

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "web/templates/portal"
PORTAL = ROOT / "web/portal"
OTHERS = [code for code in LANGUAGES if code != DEFAULT]
KEYWORDS = {"_": None, "_l": None, "_n": (1, 2), "phrase": None, "gettext": None, "ngettext": (1, 2)}
PLACE = re.compile(r"%\(\w+\)[sd]|%%|</?[a-z][^>]*>")
"""What a translation keeps: values, and HTML."""
OPEN = set[str]()
"""Templates and modules, and folders of both, with texts that are in English only."""

OPERATORS = {"relay/cli/doctor.py", "relay/channels/mail.py"}
"""Modules whose findings and reasons only operators read, in logs and on the command line."""

each_language = pytest.mark.parametrize("language", OTHERS)


@pytest.fixture(scope="module")
def texts() -> Catalog:
    """All texts of the code."""
    with (ROOT / "babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    held = Catalog()
    for _, _, text, _, _ in extract_from_dir(ROOT, mapping, options, keywords=KEYWORDS):
        held.add(text)
    return held


def catalogue(language: str) -> Catalog:
    with catalogues.path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def said(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


@each_language
def test_every_text_is_translated_and_none_is_left_over(texts: Catalog, language: str) -> None:
    held = catalogue(language)
    wanted = {one.id for one in texts if one.id}
    assert sorted(map(str, wanted - {one.id for one in held})) == [], "run `make messages`, and translate what is new"
    assert [one.id for one in held if one.id and one.id not in wanted] == [], "run `make messages`"
    assert [one.id for one in held if one.id and not all(said(one))] == [], "not translated"
    assert [one.id for one in held if one.id and one.fuzzy] == [], "look at these, and take `fuzzy` away"


@each_language
def test_a_translation_keeps_places_and_marks(language: str) -> None:
    wrong = []
    for one in (one for one in catalogue(language) if one.id):
        forms = [one.id] if isinstance(one.id, str) else list(one.id)
        # Of a plural the first form may name the number in words.
        kept = [Counter(PLACE.findall(form)) for form in forms]
        wrong += [text for text in said(one) if Counter(PLACE.findall(text)) not in kept]
    assert wrong == []


def test_a_page_says_nothing_that_is_not_marked() -> None:
    found = {str(path.relative_to(TEMPLATES)): bare_text.of_template(path) for path in TEMPLATES.rglob("*.html")}
    found |= {str(path.relative_to(PORTAL)): bare_text.of_module(path) for path in PORTAL.rglob("*.py")}
    assert {name: bare for name, bare in found.items() if bare and not _open(name)} == {}
    assert sorted(one for one in OPEN if not any(bare and _open(name, one) for name, bare in found.items())) == []


def test_findings_and_reasons_can_be_said_in_each_language() -> None:
    found = {str(path.relative_to(ROOT)): bare_text.of_reasons(path) for path in (ROOT / "relay").rglob("*.py")}
    assert {name: bare for name, bare in found.items() if bare and name not in OPERATORS} == {}
    assert sorted(name for name in OPERATORS if not found[name]) == []


def _open(name: str, one: str | None = None) -> bool:
    wanted = OPEN if one is None else {one}
    return name in wanted or any(name.startswith(f"{each}/") for each in wanted)


@pytest.mark.parametrize(
    "source",
    [
        "<p>Log out</p>",
        '<input placeholder="A name">',
        '<a aria-label="Close the page"></a>',
        "<p>{{ 'Give up' if x else y }}</p>",
        "{{ heading('Overview') }}",
        "<p>{% if x %}none{% endif %}</p>",
    ],
)
def test_a_text_that_is_not_marked_is_found(source: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(source)
    assert bare_text.of_template(page)


@pytest.mark.parametrize(
    "source",
    [
        "<p>{{ _('Log out') }}</p>",
        '<p class="mb-3 text-muted">{{ one.name }}, {{ 3 }} %</p>',
        "{% trans name=x %}Log {{ name }} out{% endtrans %}",
        "<a href=\"{{ url_for('portal.home', part='All of it') }}\"></a>",
        "<code>relay users</code>",
    ],
)
def test_what_is_marked_or_nobody_reads_is_not_found(source: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(source)
    assert bare_text.of_template(page) == []


def test_the_api_takes_the_languages_that_there_are() -> None:
    assert set(get_args(Language)) == set(LANGUAGES)
    assert {one.parents[1].name for one in catalogues.TRANSLATIONS.rglob("*.po")} == set(OTHERS)
