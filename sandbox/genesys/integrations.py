"""Open Messaging integrations: listed, made in their own time, changed, removed."""

# Field names are the provider's own.
# ruff: noqa: N815

import time
from typing import Annotated, Any

from flask import request
from pydantic import Field, ValidationError

from sandbox.accounts import DEFAULT_OUTBOUND, Integration
from sandbox.clock import iso_milliseconds
from sandbox.gateway import ProviderAnswer
from sandbox.genesys import content
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import GenesysModel
from sandbox.genesys.provider import caller, integration
from sandbox.genesys.validation import json_object
from sandbox.ids import conversation_id
from sandbox.meta.nodes import is_loopback
from sandbox.world_access import current

_PREFIX = "messaging:integration:"
CREATION_SECONDS = 0.3
"""Creation is asynchronous: for so long an integration is Initiated."""
Secret = Annotated[str, Field(min_length=16)]


class Reference(GenesysModel):
    id: str


class IntegrationRequest(GenesysModel):
    name: Annotated[str, Field(min_length=1)]
    outboundNotificationWebhookUrl: str | None = None
    outboundNotificationWebhookSignatureSecretToken: Secret | None = None
    supportedContent: Reference | None = None
    messagingSetting: Reference | None = None
    webhookHeaders: dict[str, str] | None = None


def listed() -> ProviderAnswer:
    client = caller(_PREFIX + "view")
    accounts = current().accounts
    found = [
        each
        for each in accounts.integrations.values()
        if accounts.clients[each.client_id].organisation == client.organisation
    ]
    size, page = _positive("pageSize", 25), _positive("pageNumber", 1)
    return ProviderAnswer(
        {
            "entities": [_view(each) for each in found[(page - 1) * size : page * size]],
            "pageSize": size,
            "pageNumber": page,
            "total": len(found),
            "pageCount": -(-len(found) // size),
        }
    )


def one(integration_id: str) -> ProviderAnswer:
    return ProviderAnswer(_view(integration(integration_id, _PREFIX + "view")))


def create() -> ProviderAnswer:
    client = caller(_PREFIX + "add")
    body = _parse()
    if body.outboundNotificationWebhookUrl is None or body.outboundNotificationWebhookSignatureSecretToken is None:
        raise GenesysError(400, "outboundNotificationWebhookUrl and ...SignatureSecretToken are required")
    created = Integration(
        conversation_id(),
        client.client_id,
        "",
        outbound_types=list(DEFAULT_OUTBOUND),
        created=iso_milliseconds(),
        ready_at=time.time() + CREATION_SECONDS,
    )
    _apply(created, body)
    current().accounts.integrations[created.integration_id] = created
    return ProviderAnswer(_view(created))


def change(integration_id: str) -> ProviderAnswer:
    found = integration(integration_id, _PREFIX + "edit")
    _apply(found, _parse())
    return ProviderAnswer(_view(found))


def remove(integration_id: str) -> ProviderAnswer:
    integration(integration_id, _PREFIX + "delete")
    current().accounts.remove_integration(integration_id)
    return ProviderAnswer(None, status=204)


def _parse() -> IntegrationRequest:
    try:
        body = IntegrationRequest.model_validate(json_object())
    except ValidationError as problem:
        first = problem.errors()[0]
        field = ".".join(str(each) for each in first["loc"])
        raise GenesysError(
            400, f"{field}: {first['msg']}", details=[{"errorCode": "bad.request", "fieldName": field}]
        ) from None
    if body.outboundNotificationWebhookUrl is not None:
        _check_url(body.outboundNotificationWebhookUrl)
    return body


def _check_url(url: str) -> None:
    """Port 443 over https only; the sandbox also takes http from loopback, since it runs beside the relay."""
    if is_loopback(url):
        return
    host = url.removeprefix("https://").split("/")[0]
    port = host.rpartition(":")[2] if ":" in host else "443"
    if not url.startswith("https://") or port != "443":
        raise GenesysError(
            400,
            "outboundNotificationWebhookUrl: must be https on port 443 (the sandbox takes http from "
            "loopback addresses)",
            code="invalid.value",
        )


def _apply(target: Integration, body: IntegrationRequest) -> None:
    target.name = body.name
    target.webhook_url = body.outboundNotificationWebhookUrl or target.webhook_url
    target.webhook_secret = body.outboundNotificationWebhookSignatureSecretToken or target.webhook_secret
    if body.supportedContent is not None:
        content.assign(target, body.supportedContent.id)
    if body.webhookHeaders is not None:
        target.webhook_headers = body.webhookHeaders
    current().events.changed("settings")


def _view(each: Integration) -> dict[str, Any]:
    return {
        "id": each.integration_id,
        "name": each.name,
        "status": each.status,
        "createStatus": "Initiated" if time.time() < each.ready_at else each.create_status,
        "outboundNotificationWebhookUrl": each.webhook_url,
        "outboundNotificationWebhookSignatureSecretToken": each.webhook_secret,
        "webhookHeaders": each.webhook_headers,
        "messengerType": "open",
        "supportedContent": {
            "id": content.profile_id(each),
            "selfUri": f"/api/v2/conversations/messaging/supportedcontent/{content.profile_id(each)}",
        },
        "recipient": {
            "id": each.integration_id,
            "selfUri": f"/api/v2/routing/message/recipients/{each.integration_id}",
        },
        "dateCreated": each.created,
        "dateModified": each.created,
        "version": 1,
        "selfUri": f"/api/v2/conversations/messaging/integrations/open/{each.integration_id}",
    }


def _positive(name: str, default: int) -> int:
    value = request.args.get(name, str(default))
    if not value.isdigit() or not 1 <= int(value) <= 500:
        raise GenesysError(400, f"{name}: must be a positive number", code="invalid.value")
    return int(value)
