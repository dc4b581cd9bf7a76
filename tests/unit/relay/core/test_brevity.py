"""Large items in brief."""

from __future__ import annotations

from relay.core.brevity import LONGEST, brief


def test_what_is_short_stays() -> None:
    item = {"id": "wamid.1", "list": [1, None, True, {"text": "x" * LONGEST}]}
    assert brief(item) == item


def test_long_texts_say_how_long_they_were() -> None:
    shown = brief({"text": {"body": "ä" * 100_000}, "a" * 5_000: [1]})
    assert shown["text"]["body"].endswith("… (100,000 characters)")
    assert all(len(name) < LONGEST + 40 for name in shown)
