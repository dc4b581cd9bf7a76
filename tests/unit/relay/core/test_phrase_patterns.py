"""A sentence that was stored in English is known again, whatever stands at its places."""

import re

import pytest

from relay.core.languages import Phrase, phrase
from relay.core.phrase_patterns import LONGEST, Patterns
from relay.stores import catalogues

FINDINGS = ("relay/checks/", "relay/channels/genesys/onboarding", "relay/channels/whatsapp/account/")
PATTERNS = Patterns(
    [
        "the file is empty",
        "could not be looked up: %(why)s",
        "WhatsApp refuses the access token: %(why)s",
        "%(words)s (Meta: %(text)s)",
        "HTTP %(status)s without WhatsApp's own answer",
        "%(a)s of %(b)s",
    ]
)


@pytest.mark.parametrize(
    "told",
    [
        phrase("the file is empty"),
        phrase("could not be looked up: %(why)s", why="Service (unavailable) 100 %"),
        phrase(
            "could not be looked up: %(why)s", why=phrase("HTTP %(status)s without WhatsApp's own answer", status="5")
        ),
        phrase("%(words)s (Meta: %(text)s)", words="the file is empty", text="a (b) %s"),
    ],
)
def test_it_is_the_phrase_that_it_was(told: Phrase) -> None:
    found = PATTERNS.phrase_of(str(told))
    assert isinstance(found, Phrase)
    assert (found.pattern, str(found)) == (told.pattern, str(told))


@pytest.mark.parametrize(
    "text", ["", "Service unavailable", "could not be looked up: ", "two of three", "the file is emptyy"]
)
def test_what_others_said_stays(text: str) -> None:
    assert PATTERNS.phrase_of(text) is text


@pytest.mark.parametrize("text", [" (Meta: " * 500, "could not be looked up: " * 160, ")" * LONGEST, "x" * 1_000_000])
def test_a_text_that_begins_like_ours_many_times_is_no_search_without_end(text: str) -> None:
    assert str(PATTERNS.phrase_of(text)) == text


def test_what_was_stored_is_said_in_the_language_with_what_it_quotes() -> None:
    stored = "could not be looked up: HTTP 502 without WhatsApp's own answer"
    assert (
        catalogues.say(stored, "de")
        == "konnte nicht nachgesehen werden: HTTP 502 ohne eine Antwort von WhatsApp selbst"
    )
    assert catalogues.say("could not be looked up: Oops", "es") == "no se pudo consultar: Oops"
    assert catalogues.say(stored, "en") == stored


def test_every_finding_is_known_again_whatever_stands_at_its_places() -> None:
    """One that says too little of its own, or has a place twice, would stay English on every page."""
    kept, lost = catalogues._patterns("de"), []
    for one in catalogues._read("de"):
        if one.id and any(file.startswith(FINDINGS) for file, _ in one.locations):
            told = phrase(str(one.id), **dict.fromkeys(re.findall(r"%\((\w+)\)s", str(one.id)), "something"))
            found = kept.phrase_of(str(told))
            lost += [] if isinstance(found, Phrase) and found.pattern == one.id else [one.id]
    assert lost == []
