"""What the relay itself writes on the phone, in the tenant's language."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from relay.channels.whatsapp.limits import BUTTON_TITLE
from relay.channels.whatsapp.outbound.asking import FLOW_BUTTON
from relay.channels.whatsapp.outbound.render import render
from relay.core.content import Ask, Option
from relay.core.lengths import units
from relay.core.messages import Message, Person, Recipient
from relay.stores import catalogues
from tests.unit.relay.channels.accounts import CONTACT, PHONE, WHATSAPP

LIST = tuple(Option(f"Day {number}") for number in range(4))
WORDS = {
    "en": ("Choose", "Open"), "de": ("Auswählen", "Öffnen"), "es": ("Elegir", "Abrir"), "pt": ("Escolher", "Abrir"),
}  # fmt: skip


def sent(language: str, **more: Any) -> dict[str, Any]:
    account = replace(WHATSAPP, say=partial(catalogues.say, language=language))
    it = Message("7f3c", Person(CONTACT), 1764000000.0, text="Please", **more)
    action: dict[str, Any] = render(it, "row", Recipient(CONTACT, wa_id=PHONE), account, None).body["interactive"]
    return dict(action["action"])


@pytest.mark.parametrize("language", WORDS)
def test_buttons_that_nobody_named_have_a_name_in_the_tenants_language(language: str) -> None:
    opener = sent(language, options=LIST)["button"]
    form = sent(language, ask=Ask("flow", flow="order"))["parameters"]["flow_cta"]
    assert (opener, form) == WORDS[language]
    assert units(opener) <= BUTTON_TITLE
    assert units(form) <= FLOW_BUTTON


@pytest.mark.parametrize("language", WORDS)
def test_a_button_that_somebody_named_keeps_its_name(language: str) -> None:
    assert sent(language, options=LIST, opener="Choose")["button"] == "Choose"
    assert sent(language, ask=Ask("flow", flow="order", button="Open"))["parameters"]["flow_cta"] == "Open"
