"""Every regular expression of the product, found in its source, and long texts that are made to hurt each of them."""

from __future__ import annotations

import ast
import importlib
import itertools
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as tokens
from re import _parser as parser
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("conf", "db", "relay", "web")
# They start a process, or are gunicorn's application.
NOT_IMPORTED = {"relay.__main__", "web.wsgi"}
READERS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
FROM_THE_BEGINNING = {"match", "fullmatch"}
ELSEWHERE = {
    ("web.api.tenants.schemas", "pattern"): (("TEMPLATE_NAME", "TEMPLATE_LANGUAGE"), "fullmatch"),
    ("db.access.passwords", "known"): (("'ada|brandt|nordwind'",), "sub"),
}
"""A pattern made of local names: what stands for it, in the words of its module, and the way it is read with."""

ALWAYS = (
    "a",
    "1",
    " ",
    "1 ",
    "1- ",
    "-",
    "@",
    "a@",
    "a.",
    "://",
    "a://",
    "a://a:",
    "http://a",
    "?a=",
    "&",
    '"',
    "\\",
    "{{ ",
    "\n ",
)
"""Repeated, they have broken patterns before."""


@dataclass(frozen=True)
class Found:
    where: str
    pattern: re.Pattern[Any]
    ways: frozenset[str]
    """How the product reads with it: names of methods. Empty where that cannot be seen."""


def every_pattern() -> list[Found]:
    """What is written as a call of `re`, and whatever compiled pattern a module holds, counted once."""
    trees = {name: ast.parse(path.read_text()) for name, path in _modules()}
    used = _uses(trees.values())
    found: dict[tuple[Any, int], Found] = {}
    for name, tree in trees.items():
        module = None if name in NOT_IMPORTED else importlib.import_module(name)
        for place, pattern, ways in itertools.chain(_written(name, tree, module), _held(module, used)):
            key = (pattern.pattern, pattern.flags)
            before = found.get(key, Found(place, pattern, ways))
            both = frozenset() if not ways or not before.ways else ways | before.ways
            found[key] = Found(before.where, pattern, both)
    return list(found.values())


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def _uses(trees: Any) -> dict[str, set[str]]:
    """By the name of a pattern: the methods it is read with, anywhere."""
    used: dict[str, set[str]] = {}
    for node in itertools.chain.from_iterable(ast.walk(tree) for tree in trees):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in READERS
            and isinstance(node.value, ast.Name | ast.Attribute)
        ):
            name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            used.setdefault(name, set()).add(node.attr)
    return used


def _written(
    name: str, tree: ast.Module, module: ModuleType | None
) -> Iterator[tuple[str, re.Pattern[Any], frozenset[str]]]:
    """Calls of `re`. What is compiled while the module is imported is left to `_held`."""
    held = {id(node) for statement in tree.body for node in _at_import(statement)}
    for node in ast.walk(tree):
        way = _called(node)
        if way is None or not isinstance(node, ast.Call) or (way == "compile" and id(node) in held):
            continue
        assert module is not None, f"{name} compiles a pattern, and cannot be imported to look at it"
        argument = node.args[0]
        own = [ast.unparse(argument)], way
        sources, way = ELSEWHERE.get((name, argument.id), own) if isinstance(argument, ast.Name) else own
        flags = _value(ast.unparse(_flags(node)), module)
        for source in sources:
            # A pattern of local names fails here: say in ELSEWHERE what it may be.
            yield f"{name}:{node.lineno}", re.compile(_value(source, module), flags), frozenset({way})


def _value(source: str, module: ModuleType) -> Any:
    return eval(source, dict(vars(module)))  # noqa: S307 - the product's own source


def _at_import(statement: ast.AST) -> Iterator[ast.AST]:
    """The statement and what is within it, without the bodies of functions and classes: those no module holds."""
    if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        yield statement
        for inner in ast.iter_child_nodes(statement):
            yield from _at_import(inner)


def _called(node: ast.AST) -> str | None:
    """The reader's name where the node calls `re.<reader>`, or a form's check by a pattern."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Name) and node.func.id == "Regexp":
        return "match"
    called = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    return node.func.attr if called and node.func.value.id == "re" and node.func.attr in READERS else None  # type: ignore[attr-defined]


def _flags(node: ast.Call) -> ast.expr:
    named = [word.value for word in node.keywords if word.arg == "flags"]
    return (named or [one for one in node.args[1:] if "re." in ast.unparse(one)] or [ast.Constant(0)])[0]


def _held(
    module: ModuleType | None, used: dict[str, set[str]]
) -> Iterator[tuple[str, re.Pattern[Any], frozenset[str]]]:
    for name, value in vars(module).items() if module else ():
        for pattern in _patterns(value):
            direct = isinstance(value, re.Pattern)
            yield f"{module.__name__}.{name}", pattern, frozenset(used.get(name, ())) if direct else frozenset()  # type: ignore[union-attr]


def _patterns(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from _patterns(list(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _patterns(one)


def hostile_texts(pattern: re.Pattern[Any], length: int, how_many: int = 60) -> Iterator[str | bytes]:
    """Long texts from the pattern's own letters: what fits, what nearly fits, again and again.

    The same in every run: a beginning that fits, a short piece many times, and an end that spoils it.
    """
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    dice = random.Random(repr(text))
    tree = parser.parse(
        text, pattern.flags & ~re.UNICODE & ~re.LOCALE if isinstance(pattern.pattern, bytes) else pattern.flags
    )
    whole, letters = _example(tree, dice), sorted(_letters(tree, dice))
    beginnings = ["", whole, *(whole[:cut] for cut in range(1, len(whole)))]
    pieces = [*ALWAYS, whole, whole[:-1], whole[1:], *letters]
    pieces += ["".join(dice.choices(letters, k=dice.randint(1, 4))) for _ in range(how_many)]
    for piece in filter(None, pieces):
        beginning, end = dice.choice(beginnings), dice.choice(["", "!", "\x00", " ", "x", "\n"])
        for begun in {"", beginning}:
            made = (begun + piece * (length // len(piece)))[:length] + end
            yield made.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else made


def _example(tree: Any, dice: random.Random) -> str:
    """A text that the pattern may well match."""
    return "".join(_one(operator, argument, dice) for operator, argument in tree)


def _one(operator: Any, argument: Any, dice: random.Random) -> str:
    if operator is tokens.LITERAL:
        return chr(argument)
    if operator in (tokens.MAX_REPEAT, tokens.MIN_REPEAT, tokens.POSSESSIVE_REPEAT):
        least, most, inner = argument
        return "".join(_example(inner, dice) for _ in range(min(max(least, 2), most)))
    if operator is tokens.SUBPATTERN:
        return _example(argument[3], dice)
    if operator is tokens.ATOMIC_GROUP:
        return _example(argument, dice)
    if operator is tokens.BRANCH:
        return _example(dice.choice(argument[1]), dice)
    if operator is tokens.ASSERT:  # what stands ahead or behind has to be there
        return _example(argument[1], dice)
    if operator in (tokens.IN, tokens.ANY, tokens.NOT_LITERAL):
        return dice.choice(_class(operator, argument))
    return ""


def _letters(tree: Any, dice: random.Random) -> set[str]:
    found: set[str] = set()
    for operator, argument in tree:
        if operator in (tokens.IN, tokens.ANY, tokens.NOT_LITERAL):
            found.update(_class(operator, argument)[:6])
        elif operator is tokens.LITERAL:
            found.add(chr(argument))
        else:
            for inner in _inner(argument):
                found |= _letters(inner, dice)
    found.add(_example(tree, dice))
    return found - {""}


def _inner(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for one in argument:
            yield from _inner(one)


def _class(operator: Any, argument: Any) -> list[str]:
    """A few characters of a class, signs before letters: it is signs that separate."""
    if operator is tokens.IN:
        fits = re.compile(_class_source(argument))
    else:
        fits = re.compile("(?s)." if operator is tokens.ANY else f"[^{re.escape(chr(argument))}]")
    some = [sign for sign in "- .(1a@:/=+_Zé" + string.printable if fits.fullmatch(sign)]
    return some or [chr(found) for found in range(0x80, 0xFFFF) if fits.fullmatch(chr(found))][:3]


def _class_source(members: Any) -> str:
    names = {
        tokens.CATEGORY_DIGIT: r"\d", tokens.CATEGORY_SPACE: r"\s", tokens.CATEGORY_WORD: r"\w",
        tokens.CATEGORY_NOT_DIGIT: r"\D", tokens.CATEGORY_NOT_SPACE: r"\S", tokens.CATEGORY_NOT_WORD: r"\W",
    }  # fmt: skip
    written = []
    for operator, argument in members:
        if operator is tokens.NEGATE:
            written.append("^")
        elif operator is tokens.LITERAL:
            written.append(re.escape(chr(argument)))
        elif operator is tokens.RANGE:
            written.append(f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}")
        else:
            written.append(names[argument])
    return f"[{''.join(written)}]"
