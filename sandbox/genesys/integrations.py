"""Open Messaging integrations and supported content profiles."""

# Field names are the provider's own.
# ruff: noqa: N815

from typing import Annotated, Any

from flask import request
from pydantic import Field, ValidationError

from sandbox.accounts import Client, Integration
from sandbox.clock import iso_milliseconds
from sandbox.gateway import Answer
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import Strict
from sandbox.genesys.provider import caller, integration
from sandbox.genesys.validation import json_object
from sandbox.ids import conversation_id
from sandbox.meta.nodes import is_loopback
from sandbox.world_access import current

_PREFIX = "messaging:integration:"
Secret = Annotated[str, Field(min_length=16)]


class Reference(Strict):
    id: str


class IntegrationRequest(Strict):
    name: Annotated[str, Field(min_length=1)]
    outboundNotificationWebhookUrl: str | None = None
    outboundNotificationWebhookSignatureSecretToken: Secret | None = None
    supportedContent: Reference | None = None
    messagingSetting: Reference | None = None
    webhookHeaders: dict[str, str] | None = None


def listed() -> Answer:
    client = caller(_PREFIX + "view")
    accounts = current().accounts
    found = [
        each
        for each in accounts.integrations.values()
        if accounts.clients[each.client_id].organisation == client.organisation
    ]
    size, page = _positive("pageSize", 25), _positive("pageNumber", 1)
    return Answer(
        {
            "entities": [_view(each) for each in found[(page - 1) * size : page * size]],
            "pageSize": size,
            "pageNumber": page,
            "total": len(found),
            "pageCount": -(-len(found) // size),
        }
    )


def one(integration_id: str) -> Answer:
    return Answer(_view(integration(integration_id, _PREFIX + "view")))


def create() -> Answer:
    client = caller(_PREFIX + "add")
    body = _parse()
    if body.outboundNotificationWebhookUrl is None or body.outboundNotificationWebhookSignatureSecretToken is None:
        raise GenesysError(400, "outboundNotificationWebhookUrl and ...SignatureSecretToken are required")
    created = Integration(conversation_id(), client.client_id, "", created=iso_milliseconds())
    _apply(created, body)
    current().accounts.integrations[created.integration_id] = created
    return Answer(_view(created) | {"createStatus": "Initiated"})


def change(integration_id: str) -> Answer:
    found = integration(integration_id, _PREFIX + "edit")
    _apply(found, _parse())
    return Answer(_view(found))


def remove(integration_id: str) -> Answer:
    integration(integration_id, _PREFIX + "delete")
    current().accounts.remove_integration(integration_id)
    return Answer(None, status=204)


def profiles() -> Answer:
    client = caller("messaging:supportedContent:view")
    entities = [_profile(each) for each in _own(client)]
    return Answer({"entities": entities, "pageSize": 25, "pageNumber": 1, "total": len(entities), "pageCount": 1})


def profile(profile_id: str) -> Answer:
    client = caller("messaging:supportedContent:view")
    for each in _own(client):
        if _profile_id(each) == profile_id:
            return Answer(_profile(each))
    raise GenesysError(404, f"No supported content profile found with id {profile_id}")


def _own(client: Client) -> list[Integration]:
    accounts = current().accounts
    return [
        each
        for each in accounts.integrations.values()
        if accounts.clients[each.client_id].organisation == client.organisation
    ]


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
    if body.webhookHeaders is not None:
        target.webhook_headers = body.webhookHeaders


def _view(each: Integration) -> dict[str, Any]:
    return {
        "id": each.integration_id,
        "name": each.name,
        "status": "Active",
        "createStatus": "Completed",
        "outboundNotificationWebhookUrl": each.webhook_url,
        "outboundNotificationWebhookSignatureSecretToken": each.webhook_secret,
        "webhookHeaders": each.webhook_headers,
        "messengerType": "open",
        "supportedContent": {
            "id": _profile_id(each),
            "selfUri": f"/api/v2/conversations/messaging/supportedcontent/{_profile_id(each)}",
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


def _profile_id(each: Integration) -> str:
    """Not always a UUID at Genesys either."""
    return f"{each.supported_content}-{each.integration_id}"


def _profile(each: Integration) -> dict[str, Any]:
    def types(patterns: list[str]) -> list[dict[str, str]]:
        return [{"type": pattern} for pattern in patterns]

    return {
        "id": _profile_id(each),
        "name": f"Profile of {each.name}",
        "mediaTypes": {"allow": {"inbound": types(each.inbound_types), "outbound": types(each.outbound_types)}},
        "selfUri": f"/api/v2/conversations/messaging/supportedcontent/{_profile_id(each)}",
    }


def _positive(name: str, default: int) -> int:
    value = request.args.get(name, str(default))
    if not value.isdigit() or not 1 <= int(value) <= 500:
        raise GenesysError(400, f"{name}: must be a positive number", code="invalid.value")
    return int(value)
