"""docs/message-types.md says what the code does: rows are end-to-end tests, causes and attributes those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from relay.channels.genesys.reasons import CODES
from relay.channels.whatsapp.errors import TABLE
from relay.core.explain.causes import own_cause
from tests.content.rows import Table
from tests.content.rows_inbound import inbound
from tests.content.rows_outbound import outbound
from tests.content.rows_programs import programs
from web.api.tenants.schemas import LineSettings

ROOT = Path(__file__).parents[2]
TEXT = re.sub(r"^```.*?^```", "", (ROOT / "docs" / "message-types.md").read_text(), flags=re.MULTILINE | re.DOTALL)
"""Without the blocks of code."""
WHATSAPP = ROOT / "relay" / "channels" / "whatsapp"
RENDER = ROOT / "relay" / "channels" / "genesys" / "render.py"
BEGINNING = "whatsapp_"

Row = list[str]


def table(heading: str) -> list[Row]:
    """The cells of the first table below a heading, without its head."""
    section = re.split(r"^#+ ", TEXT.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert lines, f"there is no table below {heading}"
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines())
    assert {len(row) for row in rows} == {len(head)}
    return rows


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", cell)


@pytest.mark.parametrize(
    ("heading", "test", "rows"),
    [
        ("From WhatsApp to Genesys", "test_inbound", inbound),
        ("From Genesys to WhatsApp", "test_outbound", outbound),
        ("From programs to WhatsApp", "test_sent", programs),
    ],
)
def test_each_row_is_a_test_and_each_test_a_row(heading: str, test: str, rows: Table) -> None:
    assert [row[-1] for row in table(heading)] == [f"`{test}[{name}]`" for name in rows.rows]


def test_every_test_that_is_named_exists() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for span in spans(TEXT) for name in re.findall(r"^(test_\w+)(?:\[.+\])?$", span)}
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_the_causes_are_those_of_the_code() -> None:
    listed = {spans(cause)[0]: (spans(code)[0], meta) for cause, code, meta, _ in table("Why a message failed")}
    assert {cause: code for cause, (code, _) in listed.items()} == dict(CODES)
    codes = {cause: [codes for codes, meaning in TABLE if meaning.cause == cause] for cause in CODES}
    assert {cause: meta for cause, (_, meta) in listed.items()} == {cause: written(of) for cause, of in codes.items()}


def written(codes: Iterable[int | range]) -> str:
    return ", ".join(f"{one.start}–{one.stop - 1}" if isinstance(one, range) else str(one) for one in codes)


def test_the_relays_own_codes_are_those_of_the_code() -> None:
    listed = {own: spans(cause)[0] for cause, _, _, codes in table("Why a message failed") for own in spans(codes)}
    rest = {"http_5…": own_cause("http_500")}
    source = (ROOT / "relay" / "core" / "explain" / "causes.py").read_text()
    words = set(re.findall(r'^ {4}"(\w+)": "\w+",$', source, re.MULTILINE))
    assert words
    assert listed == {word: own_cause(word) for word in words} | rest


def test_limits_by_the_hour_are_those_of_the_code() -> None:
    found = re.search(r"because of a limit by the hour \(([0-9, ]+)\)", TEXT)
    assert found
    assert found[1] == written(codes for codes, meaning in TABLE if meaning.hours)


def test_every_attribute_is_listed() -> None:
    listed = [spans(name)[0].removeprefix(BEGINNING) for name, _ in table("All attributes")]
    assert sorted(listed) == sorted(attributes())


def test_no_other_attribute_is_named() -> None:
    # What stands behind a colon is a value.
    shown = {name for row in table("From WhatsApp to Genesys") for name in re.findall(r"(?<!: )`([a-z_]+)`", row[2])}
    told = {name.removeprefix(BEGINNING) for name in spans(TEXT) if re.fullmatch(rf"{BEGINNING}[a-z_]+", name)}
    assert shown
    assert (shown | told) - attributes() == set()


def test_settings_exist() -> None:
    named = {spans(row[0])[0] for row in table("Typing and read marks")} | {"window_template", "unknown_outcome"}
    assert named - set(LineSettings.model_fields) == set()


def attributes() -> set[str]:
    """What the code can set, read in its source: the keys of dictionaries that become attributes."""
    keys = {key for path in WHATSAPP.rglob("*.py") for key in _keys(ast.parse(path.read_text()), ("attributes",))}
    rendered = set(_keys(ast.parse(RENDER.read_text()), ("_attributes", "_answered")))
    assert {"sticker", "button_id", "recap", "echo", "system_type"} <= keys, "where are they made now?"
    return {key for key in keys if key} | {key.removeprefix(BEGINNING) for key in rendered if key.startswith(BEGINNING)}


def _keys(tree: ast.AST, makers: tuple[str, ...]) -> Iterator[str]:
    """Keys of the dictionaries in functions of these names, and in arguments that are called `attributes`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in makers:
            yield from _of_dictionaries(node, tree)
        elif isinstance(node, ast.keyword) and node.arg == "attributes":
            yield from _of_dictionaries(node.value, tree)


def _of_dictionaries(node: ast.AST, tree: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Dict):
            yield from (str(key.value) for key in inner.keys if isinstance(key, ast.Constant))
        elif isinstance(inner, ast.DictComp) and isinstance(inner.key, ast.JoinedStr):
            yield from _made(inner, tree)


def _made(comprehension: ast.DictComp, tree: ast.AST) -> Iterator[str]:
    """Of {f"beginning_{name}": ... for name, key in TABLE.items()} with the names of that table."""
    beginning = ast.unparse(comprehension.key).partition("{")[0].removeprefix("f").strip("\"'")
    named = ast.unparse(comprehension.generators[0].iter).removesuffix(".items()")
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == named:
            yield from (f"{beginning}{name}" for name in ast.literal_eval(node.value))
