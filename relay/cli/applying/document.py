"""A tenant's file as YAML: read within bounds, and each of its values with its line.

Scalars are read as YAML 1.2 reads them: `no` is a word, `012` is text. Anchors, tags and a key that stands twice are
refused: nothing in the file means something else than what is seen there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

MOST_BYTES = 256 * 1024
MOST_DEPTH = 12
MOST_LETTERS = 8_192
"""Of one value."""

Path = tuple[str | int, ...]
"""Where a value stands: keys, and places in lists."""


class TenantFileError(ValueError):
    """The file is not as it should be. The text is for people: it names lines and keys, never a value."""


@dataclass(frozen=True, slots=True)
class TenantDocument:
    """What the file says, and on which line each value stands, counted from 1."""

    data: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Of the value, or of what it stands in where it is not there itself."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """What is read of plain scalars is in RESOLVERS; anchors are refused, and what lies too deep."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as its base has it
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _at(event, "anchors (& and *) are not understood here; write it out")
        if getattr(event, "tag", None) is not None:
            raise _at(event, "tags (!) are not understood here")
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise _at(event, f"more than {MOST_DEPTH} things lie in each other here")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


RESOLVERS = (
    ("bool", re.compile(r"^(?:true|false)$"), list("tf")),
    ("int", re.compile(r"^-?(?:0|[1-9][0-9]{0,17})$"), list("-0123456789")),
    ("float", re.compile(r"^-?[0-9]{1,15}\.[0-9]{1,15}$"), list("-0123456789")),
    ("null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""]),
)
TAG = "tag:yaml.org,2002:"
for _name, _form, _first in RESOLVERS:
    _Loader.add_implicit_resolver(TAG + _name, _form, _first)


def read(text: str) -> TenantDocument:
    """Raises TenantFileError."""
    if len(text) > MOST_BYTES:
        raise TenantFileError(f"the file is larger than {MOST_BYTES // 1024} KB")
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        lines: dict[Path, int] = {}
        if not isinstance(root, yaml.MappingNode):
            raise TenantFileError("the file has to begin with keys, such as `name: Demo Shop`")
        return TenantDocument(_value(loader, root, (), lines), lines)
    except yaml.reader.ReaderError:
        raise TenantFileError("the file holds characters that YAML does not allow") from None
    except yaml.MarkedYAMLError as error:
        raise _at(error, error.problem or "this is no YAML") from None
    finally:
        if loader is not None:
            loader.dispose()


def _at(what: Any, text: str) -> TenantFileError:
    mark = getattr(what, "problem_mark", None) or getattr(what, "start_mark", None)
    return TenantFileError(f"line {mark.line + 1}: {text}" if mark else text)


def _value(loader: _Loader, node: Any, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, one, (*path, place), lines) for place, one in enumerate(node.value)]
    if len(node.value) > MOST_LETTERS:
        raise _at(node, f"a value of more than {MOST_LETTERS} letters")
    return loader.construct_object(node)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or len(key.value) > 100:
            raise _at(key, "a key has to be a word")
        if key.value in found:
            raise _at(key, f"{key.value} stands here twice")
        lines[*path, key.value] = key.start_mark.line + 1
        found[key.value] = _value(loader, value, (*path, key.value), lines)
    return found


class _Dumper(yaml.SafeDumper):
    """Text stands in quotes wherever `read` might take it for something else."""


_PLAIN = re.compile(r"[A-Za-z][\w.@/:-]*(?<!:)")


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(text) and text not in ("true", "false", "null")
    return dumper.represent_scalar(f"{TAG}str", text, style=None if plain else '"')


_Dumper.add_representer(str, _quoted)


def written(data: dict[str, Any]) -> str:
    """As `read` reads it back."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
