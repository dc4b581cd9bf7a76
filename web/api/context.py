"""Where the API's views find what they use: the application's WebParts."""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, jsonify
from pydantic import BaseModel

from db.changes import Changes
from web.parts import WebParts


def parts() -> WebParts:
    return cast(WebParts, current_app.extensions["relay"])


def changes() -> Changes:
    """The way to change a tenant: PostgreSQL first, then the look-ups in Redis are forgotten."""
    held = parts()
    return Changes(held.pool, held.cache.forget_routes)


def reply(model: BaseModel, status: int = 200) -> Response:
    response = jsonify(model.model_dump(mode="json"))
    response.status_code = status
    return response
