"""Markdown in WhatsApp's marks: what becomes of it, and what never does."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.core.markdown import as_whatsapp_marks
from relay.core.visible import blank


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**bold**", "*bold*"),
        ("Your **order 42** is **ready**.", "Your *order 42* is *ready*."),
        ("***both***", "*_both_*"),
        ("~~old~~ new", "~old~ new"),
        ("**~~x~~**", "*~x~*"),
        ("**Hours:** 9 to 5", "*Hours:* 9 to 5"),
        ("(**a**), “**b**”", "(*a*), “*b*”"),
        ("[Track it](https://x.example/42)", "Track it: https://x.example/42"),
        ("See [here](https://x.example/a_(b)?c=1&amp;d=2 'no').", "See [here](https://x.example/a_(b)?c=1&d=2 'no')."),
        ('[here](https://x.example/a_(b) "a title")!', "here: https://x.example/a_(b)!"),
        ("[**bold** link](https://x.example)", "*bold* link: https://x.example"),
        ("**[bold](https://x.example)**", "*bold: https://x.example*"),
        ("![A map](https://x.example/map.png)", "A map: https://x.example/map.png"),
        ("[https://x.example](https://x.example)", "https://x.example"),
        ("[x.example](https://x.example)", "x.example: https://x.example".partition(": ")[2]),
        ("**see https://x.example/a*b**", "*see https://x.example/a*b*"),
        ("[](https://x.example)", "https://x.example"),
        ("Tom &amp; Jerry &lt;3 &quot;x&quot; &#39;y&#39; &#x20AC;5&nbsp;", "Tom & Jerry <3 \"x\" 'y' €5\xa0"),
        ("https://x.example/?a=1&amp;b=2&copy=3", "https://x.example/?a=1&b=2&copy=3"),
    ],
)
def test_markdown_becomes_whatsapps_marks(written: str, shown: str) -> None:
    assert as_whatsapp_marks(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        "*bold* _italic_ ~gone~ `code` as WhatsApp marks it",
        "2 ** 3 ** 4",
        "2**3**4",
        "**not closed",
        "not opened**",
        "** spaces **",
        "****",
        "**two\nlines**",
        "`**code**` and ```\n~~block~~ &amp;\n```",
        "``a ` **b**``",
        "https://x.example/**a**/~~b~~",
        "* a\n* b\n- c\n1. d\n> e",
        "[no link](ftp://x.example)",
        "[no link] (https://x.example)",
        "[a](javascript:alert(1))",
        "AT&T; R&D &unknown; &#9999999999;",
        "&nbsp;&#8203;",
        "",
    ],
)
def test_what_is_no_markdown_stays(written: str) -> None:
    assert as_whatsapp_marks(written) == written


TEXTS = st.text(st.sampled_from("a1 *~`[]()!&;#\n\"") | st.characters(), max_size=60) | st.lists(
    st.sampled_from(["**", "~~", "***", "`", "```", "[", "](https://x.e/", ")", "&amp;", "word", " ", "\n", "https://y.e"]),
    max_size=30,
).map("".join)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_nothing_of_a_text_is_lost_and_it_never_grows(text: str) -> None:
    shown = as_whatsapp_marks(text)
    assert len(shown) <= len(text)
    assert blank(shown) == blank(text)
    if '"' not in text and "&" not in text and "](" not in text:
        assert re.sub(r"[*_~]", "", shown) == re.sub(r"[*_~]", "", text)


@settings(max_examples=100, deadline=None)
@given(TEXTS.filter(lambda text: "&" not in text))
def test_what_is_in_whatsapps_marks_stays_so(text: str) -> None:
    once = as_whatsapp_marks(text)
    assert len(as_whatsapp_marks(once)) <= len(once)


@pytest.mark.parametrize(
    "piece",
    ["**", "**a", "a** ", "[a](https://", "[", "`", "``` `", "&amp", "![](", "~~~", "https://(", "[a](https://x(("],
)
def test_a_text_of_any_size_takes_one_pass(piece: str) -> None:
    """A pass that grows with the square of the text would not end within the test's time."""
    text = piece * 200_000
    assert len(as_whatsapp_marks(text)) <= len(text)
