"""What follows the end of a conversation."""

from dataclasses import replace
from typing import Any

import pytest

from relay.core.contacts.mapping import ConversationMapping
from relay.core.conversation.ends import ConversationEnd, following

END = ConversationEnd("over", "talk-1", 1_796_000_000.123)
OPEN = ConversationMapping(
    "c", "t", "l", "4915112345678", 0, "4915112345678", None, None, "Ada", "talk-1", window_until=END.at + 60
)
CLOSED = replace(OPEN, window_until=END.at - 1)
TEMPLATE = {"name": "goodbye", "language": "en", "parameters": ["{name}"]}


@pytest.mark.parametrize(
    ("settings", "mapping", "text", "template"),
    [
        ({}, OPEN, None, None),
        ({"end_text": ""}, OPEN, None, None),
        ({"end_text": "Bye, {name}!"}, OPEN, "Bye, Ada!", None),
        ({"end_text": "Bye, {name}!"}, replace(OPEN, name=None), "Bye, !", None),
        ({"end_text": "Bye"}, replace(OPEN, window_until=None), "Bye", None),
        ({"end_text": "Bye"}, CLOSED, None, None),
        ({"end_template": TEMPLATE}, OPEN, None, "goodbye"),
        ({"end_template": TEMPLATE, "end_text": "Bye"}, OPEN, "Bye", None),
        ({"end_template": TEMPLATE, "end_text": "Bye"}, CLOSED, None, "goodbye"),
        ({"end_template": "nonsense", "end_text": 7}, OPEN, "7", None),
    ],
)
def test_a_text_follows_while_there_may_be_one_else_the_template(
    settings: dict[str, Any], mapping: ConversationMapping, text: str | None, template: str | None
) -> None:
    found = following(END, mapping, settings)
    assert (found is None) == (text is template is None)
    if found is not None:
        assert (found.text, found.template.name if found.template else None) == (text, template)
        assert (found.source_id, found.provider_time) == ("end:talk-1:1796000000123", END.at)
    if found is not None and found.template is not None:
        assert [one.text for one in found.template.body] == ["Ada"]
