"""Markdown, as bots write it, in WhatsApp's own marks. Pure, in one pass, and never longer than it was.

`**bold**` becomes `*bold*`, `***both***` `*_both_*`, `~~gone~~` `~gone~`, `[text](address)` `text: address`, and an
HTML entity the sign that it stands for. What WhatsApp marks in the same way (`_italic_`, code, quotes, lists) stays as
it is, and so does whatever stands within code or within an address.
Source: WhatsApp's help page on formatting; CommonMark for what is a mark and what is not.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from relay.core.visible import blank

# No part of an address or a label may hold what begins the next one: so each sign is looked at a few times at most.
_ADDRESS = r"https?://(?:[^\s()\[\]<>\"]|\([^\s()\[\]<>\"]*\))+"
_TOKEN = re.compile(
    rf"!?\[(?P<label>[^\[\]\n]*)\]\((?P<target>{_ADDRESS})(?:[ \t]+\"[^\"\n\[\]]*\")?\)"
    r"|(?P<url>https?://[^\s\[\]]*[^\s\[\]*~])|(?P<code>`+)|(?P<mark>\*+|~+)|(?P<end>\n)"
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_MARKS = {"**": ("*", "*"), "***": ("*_", "_*"), "~~": ("~", "~")}


def as_whatsapp_marks(text: str) -> str:
    """The text with its Markdown in WhatsApp's marks; unchanged where nothing would be left to see."""
    tokens = list(_TOKEN.finditer(text))
    pieces = list(_pieces(text, tokens))
    shown = "".join(_in_marks(pieces))
    return text if blank(shown) else shown


def _pieces(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[tuple[str, str]]:
    """(kind, what stands there): plain text, what stays as it is, a run of marks, the end of a line."""
    closing, at, skip_to = _closing(tokens), 0, 0
    for place, token in enumerate(tokens):
        if token.start() < skip_to:
            continue
        yield "text", _without_entities(text[at : token.start()])
        at = token.end()
        kind = token.lastgroup
        if kind == "code" and place in closing:
            at = skip_to = tokens[closing[place]].end()
            yield "kept", text[token.start() : at]
        elif token["target"] is not None:
            yield from _link(token["label"], token["target"])
        elif kind == "url":
            yield "kept", token[0].replace("&amp;", "&")
        else:
            yield kind or "kept", token[0]
    yield "text", _without_entities(text[at:])


def _closing(tokens: Sequence[re.Match[str]]) -> dict[int, int]:
    """Of each run of backticks the next one that is as long: there its code ends."""
    found, following = dict[int, int](), dict[int, int]()
    for place in range(len(tokens) - 1, -1, -1):
        if tokens[place]["code"]:
            length = len(tokens[place][0])
            if length in following:
                found[place] = following[length]
            following[length] = place
    return found


def _link(label: str, target: str) -> Iterator[tuple[str, str]]:
    address = target.replace("&amp;", "&")
    said = _without_entities(label).strip()
    if said and said not in (address, address.partition("://")[2]):
        # In a label there are marks, and nothing else.
        for index, piece in enumerate(re.split(r"(\*+|~+)", said)):
            yield "mark" if index % 2 else "text", piece
        yield "text", ": "
    yield "kept", address


def _in_marks(pieces: Sequence[tuple[str, str]]) -> list[str]:
    """Pairs of marks of one line, each where WhatsApp sees one: outside of words, and next to what is marked."""
    shown = [piece for _, piece in pieces]
    open_at: dict[str, int] = {}
    for place, (kind, piece) in enumerate(pieces):
        if kind == "end":
            open_at.clear()
        if kind != "mark" or piece not in _MARKS:
            continue
        before, after = _beside(pieces, place)
        opens = bool(after) and not after.isspace() and not before.isalnum()
        closes = bool(before) and not before.isspace() and not after.isalnum()
        if closes and piece in open_at and open_at[piece] < place - 1:
            begin = open_at.pop(piece)
            shown[begin], shown[place] = _MARKS[piece]
        elif opens:
            open_at[piece] = place
    return shown


def _beside(pieces: Sequence[tuple[str, str]], place: int) -> tuple[str, str]:
    """The signs left and right of a piece, "" at an end of the text."""
    left = next((piece[-1] for _, piece in reversed(pieces[max(0, place - 3) : place]) if piece), "")
    right = next((piece[0] for _, piece in pieces[place + 1 : place + 4] if piece), "")
    return left, right


def _without_entities(text: str) -> str:
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text
