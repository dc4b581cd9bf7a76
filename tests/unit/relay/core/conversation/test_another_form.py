"""What goes out in place of a message that was refused for its form."""

from dataclasses import replace
from typing import Any

import pytest

from relay.core.content import Template
from relay.core.conversation.another_form import after_refusal, in_some_form
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Media, Message, Person

FILE = Media("document", "application/pdf", object_key="k", bucket="b", upload_id="u", caption="the offer")
MESSAGE = Message("s", Person("x"), 0.0, media=FILE)
REFUSED = SendError("as_link", "131053", "Media upload error")


def test_a_message_whose_file_is_refused_goes_with_a_link_once() -> None:
    form = after_refusal(MESSAGE, REFUSED)
    assert form is not None
    assert form.message == replace(MESSAGE, media=replace(FILE, kind="link"))
    assert (form.event, "131053" in form.why) == ("as_link", True)
    assert after_refusal(form.message, REFUSED) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"media": None}, REFUSED),
        ({"media": replace(FILE, object_key=None)}, REFUSED),
        ({"template": Template("t", "en")}, REFUSED),
        ({}, SendError("refused", "131051", "Unsupported message type")),
    ],
)
def test_where_no_link_can_go_it_has_failed(change: dict[str, Any], error: SendError) -> None:
    assert after_refusal(replace(MESSAGE, **change), error) is None


def _only_links(message: Message) -> str:
    if message.media is not None and message.media.kind != "link":
        raise CannotCarry("caption_not_allowed", "no file above a list")
    return "sent"


def test_what_cannot_stand_with_its_file_goes_with_a_link() -> None:
    assert in_some_form(_only_links, MESSAGE) == "sent"
    assert in_some_form(lambda _: "as it is", MESSAGE) == "as it is"


@pytest.mark.parametrize("change", [{"media": replace(FILE, object_key=None)}, {"template": Template("t", "en")}])
def test_what_cannot_go_with_a_link_either_says_why(change: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry, match="no file above a list"):
        in_some_form(_only_links, replace(MESSAGE, **change))
