"""Buttons, lists and links: how messages with options are fitted and rendered."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from relay.channels.whatsapp.limits import TEXT
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.core.content import Option
from relay.core.errors import CannotCarry
from relay.core.lengths import units
from relay.core.messages import Media, Message, Person, Recipient, dump, load
from sandbox.meta.interactive import Interactive
from tests.unit.relay.channels.accounts import CONTACT, PHONE, WHATSAPP

MESSAGE_ID = "0b6c3f8e-3f5c-4d0e-9a57-0d4f5b1c2a3e"
TO = Recipient(CONTACT, wa_id=PHONE)
URL = "https://files.example.org/tenant/file?X-Amz-Signature=" + "a" * 400
JUDGE: TypeAdapter[Any] = TypeAdapter(Interactive)
"""The stand-in's own rules, as strict as Meta's."""

IMAGE = Media("image", "image/png", upload_id="9")


def message(text: str | None, *options: Option | str, **more: Any) -> Message:
    made = tuple(option if isinstance(option, Option) else Option(option, f"p:{option}") for option in options)
    return Message("7f3c", Person(CONTACT), 1764000000.0, text=text, options=made, **more)


def rendered(part: Message, url: str | None = None) -> tuple[str, dict[str, Any]]:
    """Read back from a row before, as in the daemon; judged as the stand-in would."""
    body = render(load(Message, dump(part)), MESSAGE_ID, TO, WHATSAPP, url).body
    if body["type"] == "interactive":
        JUDGE.validate_python(body["interactive"])
    return body["type"], body[body["type"]]


def sent(it: Message, url: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    return [rendered(part, url) for part in fit(it)]


def only(it: Message, url: str | None = None) -> dict[str, Any]:
    ((kind, content),) = sent(it, url)
    assert kind == "interactive"
    return content


def titles(content: dict[str, Any]) -> list[str]:
    return [button["reply"]["title"] for button in content["action"]["buttons"]]


def rows(content: dict[str, Any]) -> list[dict[str, str]]:
    return [row for section in content["action"]["sections"] for row in section["rows"]]


def test_three_answers_are_buttons() -> None:
    assert only(message("Which one?", "Yes", "No", "Later", reply_to="wamid.asked")) == {
        "type": "button",
        "body": {"text": "Which one?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": f"{MESSAGE_ID}.{i}", "title": title}}
                for i, title in enumerate(("Yes", "No", "Later"))
            ]
        },
    }


def test_four_answers_are_a_list() -> None:
    options = [Option(name, "x" * 1000, description=f"{name} juice") for name in "abcd"]
    assert only(message("Which one?", *options)) == {
        "type": "list",
        "body": {"text": "Which one?"},
        "action": {
            "button": "Choose",
            "sections": [
                {
                    "rows": [
                        {"id": f"{MESSAGE_ID}.{i}", "title": name, "description": f"{name} juice"}
                        for i, name in enumerate("abcd")
                    ]
                }
            ],
        },
    }


def test_sections_are_kept() -> None:
    options = [Option(name, section=section) for name, section in zip("abcde", ["A", "B", "A", None, "B"], strict=True)]
    sections = only(message("?", *options, opener="Our whole menu of today"))["action"]["sections"]
    assert [section.get("title") for section in sections] == ["A", "B", "…"]
    assert [[row["id"][-2:] for row in section["rows"]] for section in sections] == [[".0", ".2"], [".1", ".4"], [".3"]]
    alone = only(message("?", *(Option(name, section="Fruit") for name in "abcd"), opener="Our whole menu of today"))
    assert alone["action"]["button"] == "Our whole menu of…"
    told = only(message("?", *(Option(name, section="Fruit from our own garden") for name in "abcd")))
    assert told["body"]["text"] == "?\nFruit from our own garden\n1. a\n2. b\n3. c\n4. d"
    assert [section.get("title") for section in alone["action"]["sections"]] == ["Fruit"]


def test_more_than_ten_stand_in_the_text() -> None:
    it = message("Which one?", *map(str, range(100, 111)), Option("More", url="https://example.org"))
    (part,) = fit(it)
    assert rendered(part)[0] == "text"
    lines = (part.text or "").split("\n")
    assert (lines[0], lines[1], lines[3], lines[-1]) == ("Which one?", "More: https://example.org", "1. 100", "11. 110")
    assert part.numbered
    assert [option.payload for option in part.options] == [f"p:{n}" for n in range(100, 111)]


def test_numbers_go_below_a_file_or_behind_it() -> None:
    many = [f"option {n}" for n in range(11)]
    (part,) = fit(message("?", *many, media=IMAGE))
    assert (part.numbered, len(part.options), rendered(part)[0]) == (True, 11, "image")
    first, second = fit(message("?", *many, media=Media("audio", "audio/mpeg")))
    assert ((first.numbered, first.options), (second.numbered, len(second.options))) == ((False, ()), (True, 11))
    *_, last = fit(message("x" * 5000, *many))
    assert (last.numbered, len(last.options)) == (True, 11)


def test_cut_buttons_stand_in_full_in_the_body() -> None:
    content = only(message("Where to?", "Deliver it to my home address", "No"))
    assert titles(content) == ["1. Deliver it to my…", "2. No"]
    assert content["body"]["text"] == "Where to?\n1. Deliver it to my home address\n2. No"
    told = only(message(None, Option("Yes", description="It costs 5 euros"), Option("No")))
    assert told["body"]["text"] == "1. Yes – It costs 5 euros\n2. No"


def test_cut_rows_stand_in_full_in_their_description() -> None:
    long, longer = "Deliver it to my home address", "y" * 80
    content = only(message("?", long, "b", "c", Option("d", description=" ")))
    assert rows(content)[0] == {"id": f"{MESSAGE_ID}.0", "title": "Deliver it to my home…", "description": long}
    assert "description" not in rows(content)[3]
    content = only(message("?", longer, "b", "c", "d"))
    assert content["body"]["text"] == f"?\n1. {longer}\n2. b\n3. c\n4. d"
    assert [row["title"] for row in rows(content)] == [f"1. {'y' * 20}…", "2. b", "3. c", "4. d"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("Yes", "Yes"), ["1. Yes", "2. Yes"]),
        (("Yes", " Yes\n"), ["1. Yes", "2. Yes"]),
        (("", "No"), ["1.", "2. No"]),
        (("\u200b", "No"), ["1. \u200b", "2. No"]),
        (("***", "No"), ["1. ***", "2. No"]),
        (("👍", "👎"), ["👍", "👎"]),
        (("a\nb", "c\t d"), ["a b", "c d"]),
        (("y" * 20, "y" * 20), [f"1. {'y' * 16}…", f"2. {'y' * 16}…"]),
        (("x" * 20, "x" * 19 + "y"), ["x" * 20, "x" * 19 + "y"]),
        (("😀" * 10, "b"), ["😀" * 10, "b"]),
        (("😀" * 11, "b"), [f"1. {'😀' * 8}…", "2. b"]),
    ],
)
def test_titles_are_short_unlike_each_other_and_never_empty(options: tuple[str, ...], expected: list[str]) -> None:
    assert titles(only(message("?", *options))) == expected


def test_a_title_that_its_number_cuts_is_told_in_full() -> None:
    assert only(message("?", "y" * 20, "y" * 20))["body"]["text"] == f"?\n1. {'y' * 20}\n2. {'y' * 20}"
    content = only(message("?", "y" * 24, *"aab"))
    assert [row.get("description") for row in rows(content)] == ["y" * 24, None, None, None]


def test_a_long_text_with_few_answers_is_a_list_since_each_message_costs() -> None:
    assert only(message("x" * 1024, "Yes", "No"))["type"] == "button"
    content = only(message("x" * 1025, "Yes", "No"))
    assert (content["type"], [row["title"] for row in rows(content)]) == ("list", ["Yes", "No"])


def test_a_text_longer_than_a_body_goes_ahead() -> None:
    first, last = fit(message("word " * 1000, "Yes", "No", reply_to="wamid.asked"))
    assert ((first.options, first.reply_to), (len(last.options), last.reply_to)) == (((), "wamid.asked"), (2, None))
    assert (rendered(first)[0], rendered(last)[1]["type"]) == ("text", "button")
    assert f"{first.text} {last.text}".split() == ["word"] * 1000


def test_cut_buttons_are_rows_where_there_is_no_room_to_tell_them() -> None:
    content = only(message("x" * 1010, "Deliver it to my home address", "No"))
    assert content["body"]["text"] == "x" * 1010
    assert rows(content)[0]["description"] == "Deliver it to my home address"


def test_a_body_is_never_empty() -> None:
    assert only(message(None, "Yes", "No"))["body"] == {"text": "…"}
    assert only(message(" \n", *"abcd"))["body"] == {"text": "• a\n• b\n• c\n• d"}
    assert only(message(None, *"    "))["body"] == {"text": "…"}


def test_a_file_stands_above_buttons() -> None:
    content = only(message("?", "Yes", media=replace(IMAGE, caption="The map")))
    assert (content["header"], content["body"]["text"]) == ({"type": "image", "image": {"id": "9"}}, "?\nThe map")
    bill = Media("document", "application/pdf", upload_id="9", filename="bill.pdf")
    assert only(message("?", "Yes", media=bill))["header"]["document"] == {"id": "9", "filename": "bill.pdf"}
    with pytest.raises(CannotCarry, match="not uploaded"):
        only(message("?", "Yes", media=replace(IMAGE, upload_id=None)))


@pytest.mark.parametrize("media", [Media("audio", "audio/mpeg", upload_id="9"), Media("image", "", upload_id="9")])
def test_a_file_that_may_be_no_header_goes_first(media: Media) -> None:
    assert [kind for kind, _ in sent(message("?", "Yes", media=media))] == [media.kind, "interactive"]


def test_a_list_has_its_file_in_front() -> None:
    (first, file), (second, content) = sent(message("?", *"abcd", media=IMAGE))
    assert (first, file, second, content["body"]["text"]) == ("image", {"id": "9"}, "interactive", "?")


@pytest.mark.parametrize("mime", ["image/png", "image/webp", "application/zip"])
def test_a_file_that_became_a_link_stands_in_the_body(mime: str) -> None:
    """Whether it does is known only after fit."""
    media = Media("image", mime, filename="plan")
    (part,) = fit(message("?", "Yes", "No", media=media))
    became = replace(part, media=replace(media, kind="link"))
    content = rendered(became, URL)[1]
    assert (content["type"], content["body"]["text"], content.get("header")) == ("button", f"?\nplan: {URL}", None)
    content = rendered(became, URL + "b" * 900)[1]
    assert (content["type"], [row["title"] for row in rows(content)]) == ("list", ["Yes", "No"])
    with pytest.raises(CannotCarry, match="no link"):
        rendered(became)


def test_a_list_may_hold_the_link_to_a_file() -> None:
    (part,) = fit(message("x" * 2500, *"abcd", media=Media("document", "application/zip")))
    assert URL in rendered(replace(part, media=Media("link")), URL)[1]["body"]["text"]
    assert len(fit(message("x" * 2700, *"abcd", media=Media("document", "application/zip")))) == 2


def test_a_decoration_is_left_out_where_it_cannot_be_shown() -> None:
    decoration = Media("image", "image/png", optional=True, public=True)
    (part,) = fit(message("?", "Yes", media=decoration))
    assert rendered(replace(part, media=replace(decoration, kind="link")), URL)[1]["body"]["text"] == "?"
    assert rendered(replace(part, media=replace(decoration, kind="audio")))[1].get("header") is None
    (part,) = fit(message("?", media=decoration))
    assert part.text == "?"
    assert rendered(replace(part, media=replace(decoration, kind="link")), URL)[1]["body"] == "?"
    assert rendered(replace(part, media=replace(decoration, kind="audio", upload_id="9"))) == (
        "text",
        {"body": "?", "preview_url": False},
    )
    (part,) = fit(message("?", media=replace(decoration, mime_type="audio/mpeg", caption="Hear")))
    assert (part.media, part.text) == (None, "?\nHear")


def test_no_part_is_a_decoration_alone() -> None:
    decoration = Media("image", "image/png", optional=True, public=True)
    for options in ([], ["Yes"], list("abcd"), list("abcdefghijk")):
        for text in (None, "?", "x" * 1500, "x" * 6000):
            for part in fit(message(text, *options, media=decoration)):
                without = replace(part, media=None)
                alone = part.media is not None and part.media.optional and not (without.text or without.options)
                assert not alone


def test_one_link_and_nothing_else_is_a_button() -> None:
    link = Option("Your account", url="https://example.org/a?b=c")
    assert only(message("See:", link, media=IMAGE)) == {
        "type": "cta_url",
        "header": {"type": "image", "image": {"id": "9"}},
        "body": {"text": "See:"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Your account", "url": "https://example.org/a?b=c"},
        },
    }
    assert only(message(None, link))["body"] == {"text": "Your account"}
    content = only(message("See:", replace(link, text="The account of your company")))
    assert content["body"] == {"text": "See:\nThe account of your company"}
    assert content["action"]["parameters"]["display_text"] == "The account of your…"


def test_a_link_button_without_its_header_still_has_its_link() -> None:
    (part,) = fit(message("x" * 1000, Option("Open", url="https://example.org"), media=Media("image", "image/png")))
    kind, content = rendered(replace(part, media=Media("link", filename="plan")), URL)
    assert (kind, content["body"]) == ("text", f"{'x' * 1000}\nplan: {URL}\nOpen: https://example.org")


@pytest.mark.parametrize(
    "options",
    [
        [Option("Call", url="tel:+4930")],
        [Option("Open", url="https://exa mple.org")],
        [Option("Open", url="https://")],
        [Option("Open", url="https://[")],
        [Option("Open", url="https://example.org/" + "a" * 1500)],
        [Option("a", url="https://example.org/a"), Option("b", url="https://example.org/b")],
    ],
)
def test_other_links_stand_in_the_text(options: list[Option]) -> None:
    ((kind, content),) = sent(message("See:", *options))
    assert (kind, content["body"]) == ("text", "\n".join(["See:", *(f"{o.text}: {o.url}" for o in options)]))


def test_links_beside_answers_stand_in_the_text_and_answers_keep_their_places() -> None:
    link = Option("https://example.org", url="https://example.org")
    (part,) = fit(message("See:", link, "Yes", Option("Map", url="https://example.org/map"), "No"))
    assert (part.text, [option.payload for option in part.options]) == (
        "See:\nhttps://example.org\nMap: https://example.org/map",
        ["p:Yes", "p:No"],
    )
    assert titles(rendered(part)[1]) == ["Yes", "No"]
    assert sent(message("x" * 1030, link))[0][0] == "text"
    assert [kind for kind, _ in sent(message("word " * 1000, link))] == ["text", "text"]


# Anything that an author may write: Meta takes every part, and nothing that was written is lost.

words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=60) | st.sampled_from(
    ["", " ", "Yes", "Yes ", "word " * 30, "😀" * 30, "***", "x" * 2000, "a\nb"]
)
an_option = st.builds(
    Option,
    text=words,
    payload=st.text(max_size=9),
    description=st.none() | words,
    section=st.none() | words,
    url=st.none() | st.none() | st.sampled_from(["https://example.org/x", "tel:+49", "https://e.org/" + "b" * 900]),
)
a_media = st.sampled_from(
    [
        None,
        Media("image", "image/png", upload_id="9"),
        Media("image", "image/png", upload_id="9", caption="word " * 250, optional=True),
        Media("document", "application/pdf", upload_id="9", filename="a.pdf"),
        Media("link", "application/zip", filename="a.zip", caption="c"),
        Media("audio", "audio/mpeg", upload_id="9"),
    ]
)


def tappable(content: dict[str, Any]) -> list[str]:
    if content["type"] == "list":
        return [row["id"] for row in rows(content)]
    return [button["reply"]["id"] for button in content["action"].get("buttons", ())]


def strings(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(map(strings, value.values()))
    return "".join(map(strings, value)) if isinstance(value, list) else str(value)


def bare(text: str | None) -> str:
    return "".join((text or "").split())


def everything(shown: list[tuple[str, dict[str, Any]]]) -> str:
    """All that can be read, without blanks: the running text of all parts, then titles and descriptions."""
    bodies = [content.get("body", content.get("caption", "")) for _, content in shown]
    return bare(strings(bodies) + strings([content.get("action", "") for _, content in shown]))


@settings(max_examples=150)
@given(
    text=st.none() | words | st.just("word " * 900),
    options=st.lists(an_option, min_size=1, max_size=13),
    media=a_media,
)
def test_whatever_is_offered_arrives(text: str | None, options: list[Option], media: Media | None) -> None:
    parts = fit(message(text, *options, media=media))
    shown = [rendered(part, URL) for part in parts]
    assert all(units(content["body"]) <= TEXT for kind, content in shown if kind == "text")
    answers = [option for option in options if not option.url]
    *others, last = parts
    assert not any(part.options for part in others)
    assert [option.payload for option in last.options if not option.url] == [option.payload for option in answers]
    if answers and not last.numbered:
        ids = sorted(tappable(shown[-1][1]), key=lambda each: int(each.rpartition(".")[2]))
        assert ids == [f"{MESSAGE_ID}.{i}" for i in range(len(answers))]
    found = everything(shown)
    for option in options:
        assert bare(option.text) in found
        assert bare(option.description) in found or option.url
        assert (option.url or "") in found
