"""What flask-openapi3 cannot tell of an endpoint: its scope, common headers, and errors from before the view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from pydantic import BaseModel

from web.api.access.schemas import NewKey, NewUser
from web.api.graph import media
from web.api.messages.record_schemas import RecordMove, RecordRequest
from web.api.messages.replays import ReplayBegin
from web.api.messages.sending_schemas import ToAgent, ToPhone
from web.api.tenants.schemas import ErrorBody, NewTenant
from web.request.principal import OPERATOR

Json = dict[str, Any]

PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
METHODS = ("get", "post", "put", "patch", "delete")
RETRY = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 0}}}
ALWAYS = {
    "401": "no key, or none that is valid",
    "403": "the key has not the scope that this needs",
    "429": "too many requests of this key",
    "503": "something that this needs does not answer; try again",
}
OF_POST = {"409": "not as things stand, or the Idempotency-Key belongs to another request"}
OF_BODY = {"413": "the body is larger than 256 KiB"}
TEXTS = {"400": "the request cannot be used; `details` name the fields", "404": "there is no such thing"}
PARAMETERS: Json = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes a repeat safe: for 24 hours it gets the first request's answer, and nothing is done "
        "again. 1 to 128 printable ASCII characters without spaces and #.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": '^[!"$-~]+$'},
        "example": "order-4711-confirmation",
    },
    "TenantId": {
        "name": "X-Tenant-ID",
        "in": "header",
        "required": False,
        "description": "The tenant that is meant. Needed where the key is bound to none.",
        "schema": {"type": "string", "format": "uuid"},
    },
}
EXAMPLES: dict[type[BaseModel], Json] = {
    NewTenant: {"name": "Nordwind Outdoor"},
    NewUser: {"email": "ada.brandt@nordwind.example", "name": "Ada Brandt", "role": "admin"},
    NewKey: {"name": "order system", "scopes": ["messages:send", "messages:read"]},
    ToPhone: {"to": "4915112345678", "type": "text", "text": "Your order is on its way."},
    ToAgent: {"from": "4915112345678", "name": "Ada Brandt", "type": "text", "text": "Where is my order?"},
    RecordRequest: {"wa_id": "4915112345678", "direction": "inbound", "text": "Hello", "source_id": "crm-1"},
    RecordMove: {"status": "delivered"},
    ReplayBegin: {"reason_code": "131026"},
    ErrorBody: {
        "error": {
            "code": "not_found",
            "message": "there is no such tenant",
            "details": [],
            "request_id": "0f8fad5bd9cb469fa165708680b3f2d1",
        }
    },
}


def described(app: Flask) -> Json:
    """The whole description, made once per application."""
    made: Json | None = app.extensions.get("openapi-described")
    if made is None:
        made = app.api_doc  # type: ignore[attr-defined]
        made["components"]["parameters"] = PARAMETERS
        for model, example in EXAMPLES.items():
            made["components"]["schemas"][model.__name__]["examples"] = [example]
        for path, method, view in _views(app):
            operation = made["paths"].get(path, {}).get(method)
            if operation is not None:
                _complete(operation, path, method, view)
        made["paths"]["/{version}/{phone_number_id}/media"]["post"]["requestBody"] = media.FORM
        app.extensions["openapi-described"] = made
    return made


def _views(app: Flask) -> Iterator[tuple[str, str, Any]]:
    for rule in app.url_map.iter_rules():
        path = PARAMETER.sub(r"{\1}", rule.rule)
        for method in rule.methods or ():
            if method.lower() in METHODS:
                yield path, method.lower(), app.view_functions[rule.endpoint]


def _complete(operation: Json, path: str, method: str, view: Any) -> None:
    operation["description"] = " ".join(filter(None, (operation.get("description"), _right(view))))
    names = ["IdempotencyKey"] if method == "post" else []
    if "{tenant_id}" not in path and getattr(view, "right", None) != OPERATOR:
        names.append("TenantId")
    parameters = operation.setdefault("parameters", [])
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in names]
    errors = ALWAYS | (OF_POST if method == "post" else {}) | (OF_BODY if "requestBody" in operation else {})
    for status, text in errors.items():
        operation["responses"].setdefault(status, _error(text))
    for status, answer in operation["responses"].items():
        answer["description"] = (errors | TEXTS).get(status, answer.get("description") or "done")
        if status in ("429", "503"):
            answer["headers"] = RETRY
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True


def _right(view: Any) -> str:
    right, scope = getattr(view, "right", None), getattr(view, "scope", None)
    if right == OPERATOR:
        return f"Only for the operator{f', with the scope `{scope}`' if scope else ''}."
    return f"Needs the scope `{right}`."


def _error(text: str) -> Json:
    schema = {"$ref": "#/components/schemas/ErrorBody"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}
