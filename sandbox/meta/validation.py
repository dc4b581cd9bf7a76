"""Turns a body into a request, or into the refusal that Meta would give."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sandbox.meta.errors import GraphError
from sandbox.meta.interactive import INTERACTIVE_TYPES
from sandbox.meta.requests import CONTENTS, ReadRequest, SendRequest

Model = TypeVar("Model", bound=BaseModel)


def parse_send(body: dict[str, Any]) -> SendRequest:
    request = parse(SendRequest, body)
    if request.to is None and request.recipient is None:
        raise GraphError(131008, "The parameter to is required.")
    if request.content is None:
        raise GraphError(131008, f"Parameter '{request.type}' is mandatory for type '{request.type}'")
    for name in CONTENTS:
        if name != request.type and getattr(request, name) is not None:
            raise GraphError(100, f'Unexpected key "{name}" for type "{request.type}".')
    if request.type == "reaction" and request.context is not None:
        raise GraphError(100, "A reaction cannot carry a context.")
    return request


def parse_read(body: dict[str, Any]) -> ReadRequest:
    return parse(ReadRequest, body)


def parse(model: type[Model], body: dict[str, Any]) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as problem:
        raise _refusal(problem.errors()) from None


def _refusal(errors: list[ErrorDetails]) -> GraphError:
    """Meta names one problem at a time; what is unknown comes first, then what is missing."""
    order = {"extra_forbidden": 0, "missing": 1}
    error = min(errors, key=lambda each: order.get(each["type"], 2))
    kind, path = error["type"], _path(error["loc"])
    if kind == "extra_forbidden":
        *holder, key = error["loc"]
        return GraphError(100, f'Unexpected key "{key}" on param "{_path(tuple(holder)) or "body"}".')
    if kind == "missing":
        return GraphError(131008, f"The parameter {path} is required.")
    if kind == "string_too_long":
        return GraphError(100, f"Param {path} must be at most {error['ctx']['max_length']} characters long.")
    if kind == "union_tag_not_found":
        return GraphError(131008, f"The parameter {path}['type'] is required.")
    reason = error["msg"].removeprefix("Value error, ")
    return GraphError(131009, f"Param {path}: {reason}")


def _path(location: tuple[int | str, ...]) -> str:
    """text['body'], as Meta writes it. A union's tag is pydantic's, not the caller's."""
    steps = [
        each
        for index, each in enumerate(location)
        if not (index == 1 and location[0] == "interactive" and each in INTERACTIVE_TYPES)
    ]
    rest = [f"['{each}']" if isinstance(each, str) else f"[{each}]" for each in steps[1:]]
    return "".join([str(each) for each in steps[:1]] + rest)
