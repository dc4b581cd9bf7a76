"""How each part of Meta's own address begins: behind one of our keys, and with errors in Meta's shape."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from pydantic import BaseModel
from werkzeug.routing import BaseConverter

from web.api.blueprint import ApiPart, behind_a_key
from web.api.graph.refusals import GraphErrorBody, in_metas_shape

REFUSALS: dict[str | int, type[BaseModel] | dict[Any, Any] | None] = dict.fromkeys(
    (400, 401, 403, 409, 413, 429, 500, 503), GraphErrorBody
)


class GraphVersion(BaseConverter):
    """v25.0. Which one does not matter: the relay itself asks Meta in one of its own."""

    regex = r"v[0-9]{1,3}\.[0-9]{1,2}"


class GraphPath(BaseModel):
    version: str
    phone_number_id: str


def as_at_meta(name: str, import_name: str) -> ApiPart:
    made = behind_a_key(name, import_name, "as at Meta", errors=())
    made.after_request(in_metas_shape)
    return made


def shown(model: BaseModel) -> Response:
    """As Meta writes it: what is not there has no name."""
    return jsonify(model.model_dump(exclude_none=True))
