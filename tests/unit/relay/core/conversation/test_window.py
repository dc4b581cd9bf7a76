"""The customer service window, and the template that goes out when it is closed."""

from dataclasses import replace
from typing import Any

import pytest

from relay.core.content import Location, Option, Parameter, Template
from relay.core.conversation.window import closed, in_its_place, replacement
from relay.core.messages import Media, Message, Person

SETTINGS = {"window_template": {"name": "come_back", "language": "en", "parameters": ["{name}", "We wrote: {text}"]}}
PLAIN = {"window_template": {"name": "come_back", "language": "en"}}


def message(text: str | None = "Hello", **more: Any) -> Message:
    return Message("7f3c", Person("c"), 1764000000.0, text=text, **more)


def replaced(it: Message, settings: dict[str, Any] = SETTINGS, name: str | None = "Ann") -> Template:
    found = in_its_place(it, settings, name)
    assert found is not None
    assert found.template is not None
    return found.template


@pytest.mark.parametrize(
    ("until", "expected"), [(None, False), (100.0, True), (99.5, True), (100.5, False), (0.0, True)]
)
def test_the_window_is_closed_from_its_end_on(until: float | None, expected: bool) -> None:
    assert closed(until, 100.0) is expected


def test_the_lines_template_takes_the_messages_place() -> None:
    it = message(reply_to="wamid.asked", attributes={"a": "b"})
    template = Template("come_back", "en", (Parameter("Ann"), Parameter("We wrote: Hello")))
    assert in_its_place(it, SETTINGS, "Ann") == replace(it, type="template", text=None, template=template)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"window_template": None},
        {"window_template": "come_back"},
        {"window_template": {"name": "come_back"}},
        {"window_template": {"name": "", "language": "en"}},
    ],
)
def test_a_line_without_a_template_sends_nothing(settings: dict[str, Any]) -> None:
    assert in_its_place(message(), settings, None) is None


DIRECT = {"direct_send": True}


def test_a_text_goes_out_directly_once_and_then_as_the_template() -> None:
    rule = replacement(SETTINGS | DIRECT, "Ann")
    direct = rule(message(reply_to="wamid.asked"), None)
    assert direct == message(reply_to="wamid.asked", direct=True)
    late = rule(direct, None)
    assert late is not None
    assert (late.template and late.template.name, late.direct) == ("come_back", False)
    assert replacement(DIRECT, None)(direct, None) is None


@pytest.mark.parametrize(
    "more",
    [
        {"media": Media("image")},
        {"text": None, "place": Location(1, 2)},
        {"options": (Option("Yes"),)},
        {"template": Template("a", "en")},
        {"type": "template"},
        {"unreadable": "write /ask, then location"},
    ],
)
def test_only_a_plain_text_goes_out_directly(more: dict[str, Any]) -> None:
    found = replacement(DIRECT, None)(message(**more), None)
    assert found is None or not found.direct


def test_templates_and_later_parts_are_not_replaced() -> None:
    assert in_its_place(message(template=Template("a", "en")), SETTINGS, None) is None
    assert in_its_place(message(type="template"), SETTINGS, None) is None
    assert in_its_place(message(unreadable="write /ask, then location"), SETTINGS, None) is None
    assert in_its_place(message(part=2, parts=2), SETTINGS, None) is None


@pytest.mark.parametrize(
    ("it", "settings", "instead"),
    [
        (message(), SETTINGS, False),
        (message(), PLAIN, True),
        (message(), {"window_template": {"name": "a", "language": "en", "parameters": ["fixed"]}}, True),
        (message(None), SETTINGS, True),
        (message(media=Media("image")), SETTINGS, True),
        (message(place=Location(1, 2)), SETTINGS, True),
        (message(options=(Option("Yes"),)), SETTINGS, True),
        (message(part=1, parts=2), SETTINGS, True),
        (message("x" * 1011), SETTINGS, False),
        (message("x" * 1012), SETTINGS, True),
    ],
)
def test_what_the_template_does_not_hold_was_not_delivered(
    it: Message, settings: dict[str, Any], instead: bool
) -> None:
    assert replaced(it, settings).instead is instead


def test_a_text_is_cut_to_what_a_template_has_room_for() -> None:
    first, second = replaced(message("😀" * 900)).body
    assert len((first.text + second.text).encode("utf-16-le")) // 2 in (1023, 1024)
    assert second.text.endswith("😀…")
    settings = {"window_template": {"name": "a", "language": "en", "parameters": ["{text}", "{text}", "y" * 2000]}}
    assert [len(one.text) for one in replaced(message("long " * 300), settings).body] == [1, 1, 2000]


def test_words_in_braces_are_replaced_once() -> None:
    assert replaced(message("{name}, {text}"), name="{text}").body == (
        Parameter("{text}"),
        Parameter("We wrote: {name}, {text}"),
    )
    assert replaced(message(), name=None).body[0] == Parameter("")


def test_a_caption_is_a_text() -> None:
    assert replaced(message(None, media=Media("image", caption="See"))).body[1] == Parameter("We wrote: See")


def test_parameters_have_names_if_all_of_them_do() -> None:
    named = {"name": "a", "language": "en", "parameters": ["first_name={name}", "said={text}"]}
    assert replaced(message("a=b\nc"), {"window_template": named}).body == (
        Parameter("Ann", "first_name"),
        Parameter("a=b c", "said"),
    )
    alone = {"name": "a", "language": "en", "parameters": ["{text}"]}
    assert replaced(message("a=b"), {"window_template": alone}).body == (Parameter("a=b"),)
    mixed = {"name": "a", "language": "en", "parameters": ["code=5", "{text}"]}
    assert replaced(message(), {"window_template": mixed}).body == (Parameter("code=5"), Parameter("Hello"))
