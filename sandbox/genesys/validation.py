"""Reads a request body as Genesys does: content type and size first, then the schema."""

from typing import Any, TypeVar

from flask import request
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import GenesysModel
from sandbox.genesys.provider import REQUEST_BYTES
from sandbox.world_access import current

Model = TypeVar("Model", bound=GenesysModel)
_CODES = {"iso_date": "invalid.date", "literal_error": "invalid.value", "enum": "invalid.value"}


def json_object() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise GenesysError(415)
    if len(request.get_data()) > REQUEST_BYTES:
        raise GenesysError(413)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise GenesysError(400, "The request body is not valid JSON.")
    return body


def parse(model: type[Model], what: str) -> Model:
    body = json_object()
    try:
        parsed = model.model_validate(body)
    except ValidationError as problem:
        raise _refusal(problem.errors()) from None
    _note_ignored(model, body, what)
    current().desk.bodies.append((what, body))
    return parsed


def parse_plain(model: type[Model]) -> Model:
    """The same for what is no message."""
    try:
        return model.model_validate(json_object())
    except ValidationError as problem:
        raise _refusal(problem.errors()) from None


def _refusal(errors: list[ErrorDetails]) -> GenesysError:
    details = [{"errorCode": _CODES.get(each["type"], "bad.request"), "fieldName": _path(each)} for each in errors]
    first = errors[0]
    message = f"{_path(first) or 'body'}: {_reason(first)}"
    return GenesysError(400, message, code=details[0]["errorCode"], details=details)


def _path(error: ErrorDetails) -> str:
    return ".".join(str(each) for each in error["loc"])


def _reason(error: ErrorDetails) -> str:
    return {"extra_forbidden": "unrecognized field", "missing": "missing required property"}.get(
        error["type"], error["msg"]
    )


def _note_ignored(model: type[GenesysModel], body: dict[str, Any], what: str) -> None:
    ignored = [name for name in body if name in model.tolerated]
    channel = body.get("channel")
    tolerated: frozenset[str] = getattr(model.model_fields["channel"].annotation, "tolerated", frozenset())
    if isinstance(channel, dict):
        ignored += [f"channel.{name}" for name in channel if name in tolerated]
    if ignored:
        current().stats.finding("genesys", "ignored_fields", f"{what}: {', '.join(ignored)} are ignored by Genesys")
