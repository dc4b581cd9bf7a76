"""What an agent reads when a message is about another one."""

from dataclasses import replace

import pytest

from relay.core.content import Answer, Location, Option, Quote, Template
from relay.core.conversation.quoting import DELETED, EXCERPT, UNREACTED, edited, excerpt, reacted, with_quote
from relay.core.languages import LANGUAGES, together
from relay.core.messages import Media, Message, Person
from relay.stores import catalogues

OURS = Quote("Which day?", "business")
THEIRS = Quote("Monday", "contact")
FAMILY = "👩🏽\u200d👩🏽\u200d👧🏽\u200d👦🏽"


def message(text: str | None = "yes", **more: object) -> Message:
    return Message("id", Person("49"), 1764000000.0, text=text, **{"reply_to": "wamid.o", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("about", "text", "of_ours", "of_theirs", "unknown"),
    [
        (
            "reply", "yes",
            "In reply to: “Which day?”\nyes",
            "In reply to their own message: “Monday”\nyes",
            "In reply to an earlier message\nyes",
        ),
        (
            "reply", None,
            "In reply to: “Which day?”", "In reply to their own message: “Monday”", "In reply to an earlier message",
        ),
        (
            "reaction", reacted("👍"),
            "Reacted with 👍 to: “Which day?”",
            "Reacted with 👍 to their own message: “Monday”",
            "Reacted with 👍 to an earlier message",
        ),
        (
            "reaction", UNREACTED,
            "Removed the reaction from: “Which day?”",
            "Removed the reaction from their own message: “Monday”",
            "Removed the reaction from an earlier message",
        ),
        (
            "edit", edited("Tuesday"),
            "Edited “Which day?” to: Tuesday", "Edited “Monday” to: Tuesday", "Edited an earlier message to: Tuesday",
        ),
        ("edit", edited(""), "Edited “Which day?”", "Edited “Monday”", "Edited an earlier message"),
        ("revocation", DELETED, "Deleted: “Which day?”", "Deleted: “Monday”", "Deleted an earlier message"),
    ],
)  # fmt: skip
def test_words(about: str, text: str | None, of_ours: str, of_theirs: str, unknown: str) -> None:
    given = message(text, about=about)
    assert [with_quote(given, quote).text for quote in (OURS, THEIRS, None)] == [of_ours, of_theirs, unknown]


def test_lines_before_stay_where_they_are() -> None:
    assert with_quote(message(together(("[A line]", edited("Edited a message"))), about="edit"), THEIRS).text == (
        "[A line]\nEdited “Monday” to: Edited a message"
    )
    assert with_quote(message(together(("[A line]", reacted("👍"))), about="reaction"), OURS).text == (
        "[A line]\nReacted with 👍 to: “Which day?”"
    )


def test_what_is_about_nothing_stays_as_it_is() -> None:
    given = message(reply_to=None)
    assert with_quote(given, None) is given


def test_a_reaction_to_nothing_says_so() -> None:
    given = message(reacted("👍"), about="reaction", reply_to=None)
    assert with_quote(given, None).text == "Reacted with 👍 to an earlier message"


def test_an_answer_that_is_found_needs_no_quote() -> None:
    tapped = Answer("m", 0)
    found = replace(tapped, option=Option("Monday"), offered_by="g-1")
    assert with_quote(message(answer=tapped), OURS).text == "In reply to: “Which day?”\nyes"
    assert with_quote(message(answer=found), OURS).text == "yes"


def test_news_of_the_business_are_not_the_customers_words() -> None:
    assert with_quote(message(notice=True), THEIRS).text == "In reply to: “Monday”\nyes"


def test_a_files_caption_stays_below_the_quote() -> None:
    given = with_quote(message(None, media=Media("image", caption="like this")), OURS)
    assert (given.text, given.media) == ("In reply to: “Which day?”", Media("image", caption="like this"))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (message("two\n\n  lines"), "two lines"),
        (message(None, media=Media("image", caption="my\ntent")), "my tent"),
        (message(None, media=Media("image")), "photo"),
        (message(None, media=Media("audio", voice=True)), "voice note"),
        (message(None, media=Media("document", filename="offer.pdf")), "document offer.pdf"),
        (message(None, media=Media("link", filename="film.mov")), "file film.mov"),
        (message(None, place=Location(1, 2, "Office")), "location Office"),
        (message(None, template=Template("hello", "en")), "template hello"),
        (message(None, options=(Option("Yes"), Option("No"))), "Yes / No"),
        (message(" \n "), "a message"),
        (message("x" * 121), "x" * 119 + "…"),
        (message("x" * 120), "x" * 120),
    ],
)
def test_excerpt(given: Message, shown: str) -> None:
    assert excerpt(given) == shown


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("quote", [OURS, THEIRS, None])
def test_the_quote_that_a_message_began_with_is_not_quoted(quote: Quote | None, language: str) -> None:
    def quoted(given: Message) -> str:
        kept = replace(given, text=catalogues.say(with_quote(given, quote).text or "", language))
        return excerpt(kept, with_its_quote=True)

    assert quoted(message("Monday")) == "Monday"
    assert quoted(message(None, media=Media("image", caption="this"))) == "this"
    answer = Answer("m", 0, Option("Monday"), "g-1")
    assert quoted(message("Monday\nat ten", answer=answer)) == "Monday at ten"


def test_what_the_relay_says_of_a_message_is_said_in_the_agents_language() -> None:
    given = message(together(("[A line]", reacted("👍"))), about="reaction")
    label = excerpt(message(None, media=Media("document", filename="Angebot.pdf")))
    text = with_quote(given, Quote(label, "contact")).text or ""
    assert (
        catalogues.say(text, "de") == "[A line]\nHat mit 👍 auf die eigene Nachricht reagiert: „Dokument Angebot.pdf“"
    )


@pytest.mark.parametrize("sign", [FAMILY, "🇩🇪", "❤️", "👍🏽", "é", "1️⃣", "🏴\U000e0067\U000e0062\U000e007f"])
def test_no_sign_is_torn_apart(sign: str) -> None:
    for before in range(EXCERPT):
        shown = excerpt(message("x" * before + sign * 30))
        assert len(shown) <= EXCERPT
        rest = shown.removesuffix("…")[before:]
        assert rest == sign * (len(rest) // len(sign))


def test_a_sign_without_end_is_cut_all_the_same() -> None:
    shown = excerpt(message("z" + "\u0301" * 100_000))
    assert EXCERPT // 2 < len(shown) <= EXCERPT
