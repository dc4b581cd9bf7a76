"""`/control/accounts`: adds and changes businesses."""

import time
from dataclasses import replace
from typing import Annotated, Any, Literal

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel, ConfigDict, Field

from sandbox.accounts import Integration, MetaToken, Number, OAuthClient
from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.meta.approved import ApprovedTemplate
from sandbox.meta.nodes import handshake
from sandbox.world_access import current

blueprint = Blueprint("control_accounts", __name__, url_prefix="/control/accounts")
errors.register(blueprint)


# An empty address unsubscribes.
Address = Annotated[str, Field(pattern=r"^(https?://[^/\s]+(/\S*)?)?$")]


class Whatsapp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    phone_number_id: str
    waba_id: str | None = None
    app_id: str | None = None
    app_secret: str | None = None
    access_token: str | None = None
    display_phone_number: str | None = None
    verified_name: str | None = None
    callback_url: Address | None = None
    verify_token: str | None = None
    fields: list[str] | None = None
    scopes: list[str] | None = None
    templates: list[ApprovedTemplate] | None = None
    further_tokens: list[str] | None = None
    token_expires_in: int | None = None
    data_access_expires_in: int | None = None
    subscribed: bool | None = None
    is_on_biz_app: bool | None = None
    handshake: bool = False


class Genesys(BaseModel):
    model_config = ConfigDict(extra="forbid")
    integration_id: str
    client_id: str | None = None
    client_secret: str | None = None
    webhook_url: Address | None = None
    webhook_secret: str | None = None
    organisation: str | None = None
    name: str | None = None
    permissions: list[str] | None = None
    grants: list[Literal["client_credentials", "authorization_code"]] | None = None
    status: str | None = None
    create_status: Literal["Initiated", "Completed", "Error"] | None = None
    outbound_types: list[str] | None = None
    inbound_types: list[str] | None = None
    events_url: Address | None = None
    events_key: str | None = None
    events_shape: Literal["eventbridge", "trigger"] | None = None


class NewAccount(BaseModel):
    model_config = ConfigDict(extra="forbid")
    whatsapp: Whatsapp | None = None
    genesys: Genesys | None = None


@blueprint.get("")
def listed() -> Response:
    return jsonify(current().accounts.view())


@blueprint.post("")
def put() -> Response:
    fields = forms.body()
    many = fields.get("accounts")
    answers = [_put(NewAccount.model_validate(each)) for each in (many if isinstance(many, list) else [fields])]
    current().events.changed("settings")
    return jsonify(accounts=answers) if isinstance(many, list) else jsonify(answers[0])


@blueprint.delete("/whatsapp/<phone_number_id>")
def remove_number(phone_number_id: str) -> tuple[str, int]:
    return _gone(current().accounts.remove_number(phone_number_id))


@blueprint.delete("/genesys/<integration_id>")
def remove_integration(integration_id: str) -> tuple[str, int]:
    return _gone(current().accounts.remove_integration(integration_id))


@blueprint.post("/logins/end")
def end_logins() -> tuple[str, int]:
    """As an admin of Genesys ends them: no refresh token is good any more."""
    current().tokens.end_logins()
    return "", 204


def _gone(found: bool) -> tuple[str, int]:
    if not found:
        raise ControlError("there is no such account", 404)
    current().events.changed("settings")
    return "", 204


def _put(account: NewAccount) -> dict[str, Any]:
    accounts = current().accounts
    answer: dict[str, Any] = {}
    if account.whatsapp is not None:
        answer["whatsapp"] = accounts.number_view(_put_number(account.whatsapp))
    if account.genesys is not None:
        answer["genesys"] = accounts.integration_view(_put_integration(account.genesys))
    if account.whatsapp is not None and account.genesys is not None:
        accounts.lines[account.whatsapp.phone_number_id] = account.genesys.integration_id
    if not answer:
        raise ControlError("whatsapp or genesys is required")
    return answer


def _put_number(given: Whatsapp) -> Number:
    accounts = current().accounts
    if given.handshake and given.callback_url:
        problem = handshake(given.callback_url, given.verify_token or "")
        if problem:
            raise ControlError(f"handshake failed: {problem}")
    known = accounts.numbers.get(given.phone_number_id)
    own = _set(
        given,
        "waba_id",
        "app_id",
        "access_token",
        "display_phone_number",
        "verified_name",
        "scopes",
        "further_tokens",
        "is_on_biz_app",
    )
    if given.templates is not None:
        own["templates"] = [each.model_dump(exclude_defaults=True) for each in given.templates]
    if known is None:
        if not given.waba_id or not given.access_token:
            raise ControlError("a new number needs waba_id and access_token")
        number = Number(**({"phone_number_id": given.phone_number_id, "app_id": f"app-of-{given.waba_id}"} | own))
    else:
        number = replace(known, **own)
    accounts.put_number(number)
    _describe_token(number, given)
    app, waba = accounts.app_of(number), accounts.wabas[number.waba_id]
    for name, value in _set(given, "app_secret", "callback_url", "verify_token", "fields").items():
        setattr(app, name, value)
    if given.subscribed is not None or given.callback_url:
        waba.subscribed = given.subscribed is not False
    return number


def _describe_token(number: Number, given: Whatsapp) -> None:
    """How long the number's token lives from now on; 0 is for ever."""
    accounts = current().accounts
    if given.scopes is not None or given.token_expires_in is not None or given.data_access_expires_in is not None:
        token = accounts.tokens.setdefault(number.access_token, MetaToken())
        token.scopes = list(number.scopes)
        for name, seconds in (
            ("expires_at", given.token_expires_in),
            ("data_access_expires_at", given.data_access_expires_in),
        ):
            if seconds is not None:
                setattr(token, name, int(time.time()) + seconds if seconds else 0)


def _put_integration(given: Genesys) -> Integration:
    accounts = current().accounts
    own = _set(
        given, "client_id", "webhook_secret", "webhook_url", "name", "outbound_types", "inbound_types", "status",
        "create_status",
    )  # fmt: skip
    known = accounts.integrations.get(given.integration_id)
    if known is None:
        known_client = given.client_id in accounts.clients
        if not (given.client_id and given.webhook_secret and (given.client_secret or known_client)):
            raise ControlError("a new integration needs client_id, client_secret and webhook_secret")
        named = {"integration_id": given.integration_id, "name": f"WhatsApp {given.organisation or ''}".strip()}
        integration = Integration(**{**named, **own})
    else:
        integration = replace(known, **own)
    if len(integration.webhook_secret) <= 15:
        raise ControlError("webhook_secret must be longer than 15 characters, as at Genesys")
    accounts.integrations[given.integration_id] = integration
    organisation = given.organisation or integration.client_id
    client = accounts.clients.setdefault(integration.client_id, OAuthClient(integration.client_id, "", organisation))
    names = ("client_secret", "organisation", "permissions", "grants", "events_url", "events_key", "events_shape")
    for name, value in _set(given, *names).items():
        setattr(client, name, value)
    return integration


def _set(given: BaseModel, *names: str) -> dict[str, Any]:
    """Only what was given: a field left out keeps its value."""
    return {name: getattr(given, name) for name in names if getattr(given, name) is not None}
