"""How each part of the API begins: behind a key, and with the errors that any of its answers may be.

flask-openapi3 describes each endpoint while its module is imported. All their schemas take a good part of web's start,
and are looked at by whoever asks for /openapi.json: here they are made then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask_openapi3 import APIBlueprint, OpenAPI, Tag
from flask_openapi3.types import ParametersTuple
from flask_openapi3.utils import parse_parameters

from web.api.access import auth

KEY: list[dict[str, list[str]]] = [{"key": []}]
ERRORS = (400, 401, 404, 503)


class ApiPart(APIBlueprint):
    """Views are bound as ever; `describe` does the rest."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._undescribed: list[Callable[[], ParametersTuple]] = []

    def _collect_openapi_info(self, rule: str, func: Callable[..., Any], **about: Any) -> ParametersTuple:
        self._undescribed.append(partial(super()._collect_openapi_info, rule, func, **about))
        return parse_parameters(func, doc_ui=False)

    def describe(self) -> None:
        while self._undescribed:
            self._undescribed.pop(0)()


class Api(OpenAPI):
    """The application, whose description is made of its parts when it is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts: list[ApiPart] = []

    def register_api(self, api: APIBlueprint, **options: Any) -> None:
        super().register_api(api, **options)
        if isinstance(api, ApiPart):
            self._parts.append(api)

    @property
    def api_doc(self) -> dict[str, Any]:
        while self._parts:
            part = self._parts.pop(0)
            part.describe()
            self.tags += [tag for tag in part.tags if tag.name not in self.tag_names]
            self.tag_names += [tag.name for tag in part.tags if tag.name not in self.tag_names]
            self.paths.update(part.paths)
            self.components_schemas.update(part.components_schemas)
        found: dict[str, Any] = super().api_doc
        return found


def behind_a_key(
    name: str, import_name: str, tag: str, url_prefix: str | None = None, *, errors: tuple[int, ...] = ERRORS
) -> ApiPart:
    """A part of the API whose endpoints stand under `tag` in its description. All its requests show a key."""
    made = ApiPart(
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
