"""Finds texts that a person would read and that no catalogue knows: in templates, and in the portal's code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

READ = {"alt", "aria-label", "data-busy", "data-confirm", "data-name", "placeholder", "title"}
"""Attributes whose text somebody reads or hears."""
NOT_READ = {"code", "pre", "script", "style"}
NAMES = {
    "bdi",
    "WhatsApp",
    "Genesys",
    "Meta",
    "UTC",
    "HTTP",
    "CSV",
    "JSON",
    "ZIP",
    "UTF-8",
    "API",
    "OpenID",
    "Relay",
    "OAuth",
}
MARKS = {"_", "_l", "_n", "phrase", "gettext", "ngettext"}
NOT_SHOWN = {*MARKS, "render_icon", "url_for"}
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"^[^\W\d_]+(?: [^\W\d_]+)+|^[A-Z][a-z]+(?:[ -]\S+)*$|^[a-z]+ (?:[^\W\d_]|$)")
FILLED = "\x01"
"""Stands where an expression is."""


def environment() -> Environment:
    return Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def of_template(path: Path) -> list[str]:
    source = path.read_text()
    found = _Texts()
    found.feed(_without_code(source))
    found.close()
    tree = environment().parse(source)
    return [*found.bare, *(text for text in _literals(tree) if _is_text(text))]


def _without_code(source: str) -> str:
    """The page's own text; expressions and statements are blanks, marked texts as well."""
    parts: list[str] = []
    marked = False
    for _, kind, text in environment().lex(source):
        if kind == "name" and text in ("trans", "endtrans"):
            marked = text == "trans"
        if kind == "data" and not marked:
            parts.append(text)
        if kind in ("variable_begin", "block_begin"):
            parts.append(FILLED)
    return "".join(parts)


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.bare: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in NOT_READ:
            self.within.append(tag)
        self.bare += [f"{name}={value}" for name, value in attrs if name in READ and value and _is_word(value)]

    def handle_endtag(self, tag: str) -> None:
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        if not self.within and _is_word(data):
            self.bare.append(" ".join(data.replace(FILLED, " ").split()))


def _is_word(text: str) -> bool:
    text = re.sub(r'data-[a-z]+="', "", text)  # a macro that makes attributes
    return any(word not in NAMES for word in WORD.findall(text) if word not in ("width", "device", "initial", "scale"))


def _literals(tree: nodes.Node) -> Iterator[str]:
    """Literals that may be shown: not those that are marked, and not names of classes, pages and the like."""
    if isinstance(tree, nodes.Call) and isinstance(tree.node, nodes.Name) and tree.node.name in NOT_SHOWN:
        if tree.node.name in MARKS:
            for one in tree.kwargs:
                yield from _literals(one)
        return
    if isinstance(tree, nodes.Keyword) and tree.key in ("class", "class_", "fmt"):
        return
    if isinstance(tree, (nodes.Extends, nodes.Include, nodes.FromImport, nodes.Getitem, nodes.Compare)):
        return
    if isinstance(tree, nodes.Const) and isinstance(tree.value, str):
        yield tree.value
    for child in tree.iter_child_nodes():
        yield from _literals(child)


def _is_text(text: str) -> bool:
    plain = text.strip()
    return (
        bool(SENTENCE.match(plain)) and _is_word(plain) and not re.search(r"btn|text-|is-invalid|alert-|aria-|=", plain)
    )


CALLS = {
    "flash", "Label", "DataRequired", "InputRequired", "ValidationError", "FieldError", "StringField", "PasswordField",
    "SelectField", "SelectMultipleField", "RadioField", "BooleanField", "DateField", "TimeField", "EmailField",
    "TextAreaField", "IntegerField", "FileField", "SubmitField", "NavigationLink", "heading", "text", "page",
    "secret_field", "NotFoundError", "NumberRange", "Regexp",
}  # fmt: skip
KEYWORDS = {"description", "message", "help_text", "label", "title"}


def of_module(path: Path) -> list[str]:
    """Texts in the portal's code: what is flashed, what fields and buttons are called, what is wrong with a value."""
    tree = ast.parse(path.read_text())
    found: list[str] = []
    for call in (one for one in ast.walk(tree) if isinstance(one, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name not in CALLS:
            continue
        given = [*call.args, *(one.value for one in call.keywords if one.arg in KEYWORDS)]
        found += [text for one in given for text in _bare(one)]
    return found


def _bare(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and SENTENCE.match(value.value.strip()):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        if any(isinstance(one, ast.Constant) and _is_word(str(one.value)) for one in value.values):
            yield ast.unparse(value)
    elif isinstance(value, ast.IfExp):
        yield from (*_bare(value.body), *_bare(value.orelse))
    elif isinstance(value, ast.Dict):
        yield from (text for one in value.values for text in _bare(one))


KEPT = {"Finding": (2, 3), "SendError": (2,), "CannotCarry": (1,), "Hindrance": (2,)}
"""What is kept and read on pages later, and which of its values are sentences."""


def of_reasons(path: Path) -> list[str]:
    """Sentences of findings and reasons that are handed over as they stand, as `file:line`."""
    return [
        f"{path.name}:{call.lineno}"
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEPT
        for place in KEPT[call.func.id]
        if place < len(call.args) and _is_bare(call.args[place])
    ]


def _is_bare(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and bool(value.value))
