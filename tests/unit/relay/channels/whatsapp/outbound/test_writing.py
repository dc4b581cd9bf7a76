"""How a line wants what its side writes to look: Markdown in WhatsApp's marks, previews of links."""

from typing import Any

import pytest

from relay.channels.base import Account
from relay.channels.whatsapp.outbound.render import render
from relay.core.content import Option, Template
from relay.core.messages import Media, Message, Person, Recipient

TO = Recipient("4915112345678", wa_id="4915112345678")


def body(settings: dict[str, Any], by: str | None = "Bot", **message: Any) -> dict[str, Any]:
    attributes = {"originating_entity": by} if by else {}
    sent = Message("id", Person("x"), 0.0, attributes=attributes, **message)
    return render(sent, "m-1", TO, Account("t", "l", "1", {}, settings), "https://files.example/f").body


@pytest.mark.parametrize(
    ("wanted", "by", "marked"),
    [
        ({}, "Bot", False),
        ({"markdown": "bots"}, "Bot", True),
        ({"markdown": "bots"}, "bot", True),
        ({"markdown": "bots"}, "Human", False),
        ({"markdown": "bots"}, None, False),
        ({"markdown": "all"}, "Human", True),
        ({"markdown": "all"}, None, True),
        ({"markdown": "nonsense"}, "Bot", False),
    ],
)
def test_markdown_becomes_marks_where_the_line_wants_it(wanted: dict[str, Any], by: str | None, marked: bool) -> None:
    shown = "*Hi*" if marked else "**Hi**"
    assert body(wanted, by, text="**Hi**")["text"]["body"] == shown
    file = Media("document", "application/pdf", filename="a.pdf", caption="**Hi**", upload_id="1")
    assert body(wanted, by, media=file)["document"]["caption"] == shown
    tapped = body(wanted, by, text="**Hi**", options=(Option("Yes", "y"),))
    assert tapped["interactive"]["body"]["text"] == shown


def test_a_templates_words_are_its_own() -> None:
    sent = body({"markdown": "all"}, type="template", template=Template("t", "en"))
    assert sent["template"]["name"] == "t"


@pytest.mark.parametrize(
    ("settings", "preview"), [({}, None), ({"link_previews": False}, None), ({"link_previews": True}, True)]
)
def test_links_are_shown_with_a_preview_where_the_line_wants_it(settings: dict[str, Any], preview: bool | None) -> None:
    assert body(settings, text="see https://x.example")["text"].get("preview_url") == preview


def test_a_link_to_a_file_of_ours_gets_no_preview() -> None:
    file = Media("link", "application/zip", filename="a.zip", object_key="k")
    assert body({"link_previews": True}, text="here", media=file)["text"]["preview_url"] is False
