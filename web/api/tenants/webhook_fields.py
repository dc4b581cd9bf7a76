"""Which of Meta's webhook fields the app behind a line's number is subscribed to."""

from __future__ import annotations

from dataclasses import replace

from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from relay.channels.webhook_fields import SubscribedFields
from web.actions import webhook_fields
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import ErrorBody, LinePath
from web.api.tenants.setup import known_tenant
from web.request.context import reply
from web.request.principal import needs

api = behind_a_key("webhook_fields", __name__, "tenants", "/api/tenants")


_CALLBACK = """\
where the app's own webhook goes, without its query; "" where Meta names none, and for a tenant on the operator's app"""


class WebhookFieldOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    name: str = Field(description="as Meta calls it")
    use: str = Field(description="traffic, health, portal, optional, or other: of no use to the relay")
    purpose: str
    subscribed: bool


class WebhookFieldsOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    app_id: str = Field(description="the Meta app that the access token belongs to")
    callback_url: str = Field(description=_CALLBACK)
    complete: bool = Field(description="every field of use is subscribed to")
    fields: list[WebhookFieldOut]


@api.get(
    "/<uuid:tenant_id>/lines/<uuid:line_id>/webhook-fields",
    summary="Which webhook fields the app is subscribed to",
    responses={200: WebhookFieldsOut, 409: ErrorBody, 503: ErrorBody},
)
@needs("tenants:write")
def get_fields(path: LinePath) -> Response:
    """Asked of Meta now, as the app itself. 409: Meta says no, or the app's secret is not known here."""
    tenant = known_tenant(path)
    return _out(webhook_fields.subscribed(tenant.id, str(path.line_id)))


@api.post(
    "/<uuid:tenant_id>/lines/<uuid:line_id>/webhook-fields",
    summary="Subscribe the app to all webhook fields of use",
    responses={200: WebhookFieldsOut, 403: ErrorBody, 409: ErrorBody, 503: ErrorBody},
)
@needs("tenants:write")
def subscribe_fields(path: LinePath) -> Response:
    """The whole list, with what was there before; the answer is what Meta names afterwards.

    409 `other_webhook`: the app's own webhook goes to another system, and is left as it is. 403: the number uses the
    operator's app, which only the operator changes.
    """
    tenant = known_tenant(path)
    return _out(webhook_fields.subscribe(tenant.id, str(path.line_id)))


def _out(found: SubscribedFields) -> Response:
    # A query may hold a key of another system's.
    shown = replace(found, callback_url=found.callback_url.partition("?")[0])
    return reply(WebhookFieldsOut.model_validate(shown))
