"""What the relay says of a customer's message is said in the language of the agents, and their own words stay."""

import json
import re
from functools import cache

import pytest
from babel.messages.pofile import read_po

from relay.channels.whatsapp.inbound import unsupported
from relay.channels.whatsapp.inbound.parse import parse
from relay.channels.whatsapp.webhook import split
from relay.core.content import Quote
from relay.core.conversation.quoting import with_quote
from relay.core.languages import DEFAULT, LANGUAGES
from relay.core.messages import Message
from relay.stores import catalogues
from tests.unit.relay.channels.recorded import recorded

WORD = re.compile(r"[^\W\d_]{3,}")
ITEMS = [
    *(
        {"kind": "message", **{name: case.get(name) for name in ("message", "contact")}}
        for case in recorded("whatsapp", "messages")
    ),
    *(
        part.payload
        for case in recorded("whatsapp", "changes")
        for part in split({"object": "whatsapp_business_account", "entry": [{"changes": [case]}]})
    ),
    *(
        {"kind": "message", "message": {"from": "49", "id": "x", "type": "unsupported", "unsupported": {"type": kind}}}
        for kind in (*unsupported._SENTENCES, "unheard_of")
    ),
]
IN_EACH_LANGUAGE = {"maps", "google", "com", "https"}


@cache
def words_of(language: str) -> frozenset[str]:
    """All that the catalogue of a language says."""
    with catalogues.path(language).open("rb") as file:
        said = [one.string for one in read_po(file, locale=language)]
    return frozenset(WORD.findall(" ".join(text for text in said if isinstance(text, str)).lower()))


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != DEFAULT])
def test_agents_read_nothing_of_ours_in_another_language(language: str) -> None:
    left = {}
    for item in ITEMS:
        given = set(WORD.findall(json.dumps(item, ensure_ascii=False).replace("\\n", " ").lower()))
        for event in parse(item):
            if isinstance(event, Message) and event.text:
                text = with_quote(event, Quote("X", "contact")).text or ""
                foreign = (
                    set(WORD.findall(catalogues.say(text, language).lower()))
                    - given
                    - words_of(language)
                    - IN_EACH_LANGUAGE
                )
                if foreign:
                    left[text] = foreign
    assert left == {}
