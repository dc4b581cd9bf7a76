"""Reads what the `messages` calls take: JSON or multipart, one message or many, a file from any of three sources."""

import base64
import binascii
import json
import mimetypes
from collections.abc import Collection
from typing import Any

from flask import request

from sandbox.control.errors import ControlError
from sandbox.meta.draft import FileData
from sandbox.samples import kinds, sample

_OBJECTS = ("referral", "referred_product")
_SWITCHES = ("hide_phone", "sample", "split", "typing", "animated", "voice", "forwarded", *_OBJECTS)


def body() -> dict[str, Any]:
    """JSON, or a form's fields with the file under `_file`."""
    if request.mimetype == "multipart/form-data":
        return _form()
    parsed = request.get_json(silent=True, force=True)
    if not isinstance(parsed, dict):
        raise ControlError("the body must be a JSON object")
    return parsed


def _form() -> dict[str, Any]:
    fields: dict[str, Any] = dict(request.form.items())
    for name in ("message", "content"):
        if name in fields:
            fields[name] = _json(name, fields[name])
    for name in _OBJECTS:
        if fields.get(name, "").startswith("{"):
            fields[name] = _json(name, fields[name])
    for name, value in fields.items():
        if name in _SWITCHES and value in ("true", "false"):
            fields[name] = value == "true"
    part = request.files.get("file")
    if part is not None and part.filename is not None:
        mime_type = part.mimetype or mimetypes.guess_type(part.filename)[0] or "application/octet-stream"
        fields["_file"] = FileData(part.read(), part.headers.get("Content-Type") or mime_type, part.filename or None)
    return fields


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ControlError(f"{name} is not JSON") from None


def each_message(fields: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The messages of a call for many, or None when the call is for one."""
    many = fields.get("messages")
    if many is None:
        return None
    if not isinstance(many, list) or not all(isinstance(each, dict) for each in many):
        raise ControlError("messages must be a list of objects")
    shared = {name: value for name, value in fields.items() if name != "messages"}
    return [shared | each for each in many]


def file_of(fields: dict[str, Any], source: str, default_kind: str, others: Collection[str] = ()) -> FileData | None:
    """From a form, from base64 under `source`, or from the built-in samples. `others`: what there are besides files."""
    if "_file" in fields:
        uploaded: FileData = fields["_file"]
        return uploaded
    given = fields.get(source)
    if given is not None:
        return _decoded(source, given)
    wanted = fields.get("sample")
    if not wanted:
        return None
    kind = wanted if isinstance(wanted, str) else default_kind
    if kind not in kinds():
        raise ControlError(f"there is no sample of '{kind}': {', '.join([*kinds(), *others])}")
    found = sample(kind)
    return FileData(found.data, found.mime_type, found.filename)


def _decoded(source: str, given: Any) -> FileData:
    if not isinstance(given, dict) or not isinstance(given.get("data"), str):
        raise ControlError(f"{source} needs data (base64) and mime_type")
    try:
        data = base64.b64decode(given["data"], validate=True)
    except binascii.Error:
        raise ControlError(f"{source}.data is not base64") from None
    return FileData(data, str(given.get("mime_type", "application/octet-stream")), given.get("filename"))


def text_field(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ControlError(f"{name} must be a string")
    return value


def required(fields: dict[str, Any], name: str) -> str:
    value = text_field(fields, name)
    if not value:
        raise ControlError(f"{name} is required")
    return value


def limit() -> int | None:
    value = request.args.get("limit", "")
    return int(value) if value.isdigit() and int(value) else None
