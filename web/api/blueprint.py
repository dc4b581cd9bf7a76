"""How each part of the API begins: behind a key, and with the errors that any of its answers may be."""

from __future__ import annotations

from typing import Any

from flask_openapi3 import APIBlueprint, Tag

from web.api.access import auth

KEY: list[dict[str, list[str]]] = [{"key": []}]
ERRORS = (400, 401, 404, 503)


def behind_a_key(
    name: str, import_name: str, tag: str, url_prefix: str | None = None, *, errors: tuple[int, ...] = ERRORS
) -> APIBlueprint:
    """A part of the API whose endpoints stand under `tag` in its description. All its requests show a key."""
    made = APIBlueprint(
        name,
        import_name,
        url_prefix=url_prefix,
        abp_tags=[Tag(name=tag)],
        abp_security=KEY,
        abp_responses={status: _error() for status in errors},
    )
    made.before_request(auth.authenticate)
    return made


def _error() -> dict[str, Any]:
    """ErrorBody by its name: its schema would be made anew for each error of each endpoint, at each start of web."""
    return {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}}
