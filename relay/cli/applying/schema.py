"""What a tenant's file may say. The rules of each value are those of the API: they are the API's own schemas."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from db.endpoints.registry import MOST as MOST_ENDPOINTS
from db.tenants.bounds import MOST
from relay.cli.applying.document import Path, TenantDocument, TenantFileError
from web.api.data.retention import RetentionChoice
from web.api.tenants.endpoint_schemas import EndpointCreate
from web.api.tenants.schemas import (
    GenesysCredentials,
    LineSettings,
    Name,
    ProviderId,
    RequestModel,
    Secret,
    WhatsAppCredentials,
)
from web.api.tenants.tenant_schemas import Language

TOLD = 10
"""So many mistakes are told at once."""


class FileLine(RequestModel):
    """`settings`, where it stands, is all of them: what is not named in it is as usual."""

    phone_number_id: ProviderId
    integration_id: ProviderId
    webhook_secret: Secret | None = None
    settings: LineSettings | None = None


class FileCredentials(RequestModel):
    whatsapp: WhatsAppCredentials | None = None
    genesys: GenesysCredentials | None = None


class FileEndpoint(EndpointCreate):
    active: bool = True


class TenantFile(RequestModel):
    """What is left out is not looked at. A list, where it stands, is whole: what is not in it is to go."""

    tenant: UUID | None = None
    name: Name
    contact: Annotated[str, Field(max_length=200)] | None = None
    language: Language | None = None
    paused: bool | None = None
    second_factor_demanded: bool | None = None
    credentials: FileCredentials = FileCredentials()
    lines: list[FileLine] | None = Field(None, max_length=MOST["lines"])
    retention: RetentionChoice | None = None
    endpoints: list[FileEndpoint] | None = Field(None, max_length=MOST_ENDPOINTS)
    conditions_webhook: Secret | None = None


def checked(doc: TenantDocument, data: dict[str, Any]) -> TenantFile:
    """`data`: the document's, with secrets in the place of references. Raises TenantFileError for what is wrong."""
    try:
        wished = TenantFile.model_validate(data)
    except ValidationError as error:
        mistakes = [_told(doc, one["loc"], one["type"], one["msg"]) for one in error.errors(include_input=False)]
        raise TenantFileError("\n".join(mistakes[:TOLD])) from None
    _once(doc, "lines", [(one.phone_number_id, one.integration_id) for one in wished.lines or ()])
    _once(doc, "endpoints", [one.url for one in wished.endpoints or ()])
    return wished


def _once(doc: TenantDocument, where: str, keys: list[Any]) -> None:
    for place, key in enumerate(keys):
        if key in keys[:place]:
            raise TenantFileError(f"line {doc.line((where, place))}: this stands in {where} twice")


def _told(doc: TenantDocument, path: Path, kind: str, text: str) -> str:
    where = f"line {doc.line(path)}"
    if kind != "extra_forbidden":
        named = ".".join(map(str, path))
        return f"{where}: {named} {text.removeprefix('Value error, ')}"
    known = _keys(path[:-1])
    near = get_close_matches(str(path[-1]), known, 1)
    meant = f"did you mean {near[0]}?" if near else f"known here: {', '.join(sorted(known))}"
    return f"{where}: {path[-1]} is unknown; {meant}"


def _keys(path: Path) -> list[str]:
    """Of the object that stands there."""
    model: Any = TenantFile
    for step in path:
        if isinstance(step, str):
            model = _model(model.model_fields[step].annotation)
    return list(model.model_fields)


def _model(annotation: Any) -> Any:
    """The schema in `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model(one)) is not None), None)
