"""`/{app_id}/subscriptions`: which webhook fields an app is subscribed to, and where they go.

Source: Graph API, webhooks/subscriptions-edge. Whether a POST replaces the list or adds to it is not documented. Here
it replaces it, so that whoever sends half a list finds out.
"""

import secrets
from typing import Any

from sandbox.accounts import WEBHOOK_FIELDS, App
from sandbox.gateway import ProviderAnswer
from sandbox.meta.access import presented_token
from sandbox.meta.errors import GraphError, not_visible
from sandbox.meta.nodes import handshake
from sandbox.world_access import current

OBJECT = "whatsapp_business_account"
VERSION = "v25.0"
_KEYS = {"object", "callback_url", "verify_token", "fields", "include_values", "access_token"}


def app(app_id: str, method: str) -> App:
    """The app itself calls, with its id and secret as token; a user's token is refused."""
    found = current().accounts.apps.get(app_id)
    caller, _, secret = presented_token().partition("|")
    if not secret:
        raise GraphError(15, message="(#15) This method must be called with an app access_token.")
    known = current().accounts.apps.get(caller)
    if known is None or not secrets.compare_digest(secret.encode(), known.app_secret.encode()):
        raise GraphError(190, message="Invalid OAuth access token signature.")
    if found is not known:
        raise not_visible(app_id, method)
    return known


def shown(subscribed: App) -> ProviderAnswer:
    if not subscribed.fields:
        return ProviderAnswer({"data": []})
    return ProviderAnswer(
        {
            "data": [
                {
                    "object": OBJECT,
                    "callback_url": subscribed.callback_url or "",
                    "active": True,
                    "fields": [{"name": name, "version": VERSION} for name in subscribed.fields],
                }
            ]
        }
    )


def subscribe(subscribed: App, body: dict[str, Any]) -> ProviderAnswer:
    _known(body, _KEYS)
    for name in ("object", "callback_url", "verify_token", "fields"):
        if not body.get(name):
            raise GraphError(100, message=f"(#100) The parameter {name} is required")
    fields = _fields(body["fields"])
    url, token = str(body["callback_url"]), str(body["verify_token"])
    problem = handshake(url, token)
    if problem:
        raise GraphError(2200, message=f"(#2200) Callback verification failed with the following errors: {problem}")
    subscribed.callback_url, subscribed.verify_token, subscribed.fields = url, token, fields
    current().events.changed("settings")
    return ProviderAnswer({"success": True})


def unsubscribe(subscribed: App, given: dict[str, Any]) -> ProviderAnswer:
    """Of some fields, or of all."""
    _known(given, {"object", "fields", "access_token"})
    gone = _fields(given["fields"]) if given.get("fields") else list(subscribed.fields)
    subscribed.fields = [name for name in subscribed.fields if name not in gone]
    current().events.changed("settings")
    return ProviderAnswer({"success": True})


def _known(body: dict[str, Any], keys: set[str]) -> None:
    unknown = set(body) - keys
    if unknown:
        raise GraphError(100, f'Unexpected key "{min(unknown)}" on param "body".')
    if body.get("object") not in (None, OBJECT):
        raise GraphError(100, message="(#100) Param object must be whatsapp_business_account here")


def _fields(given: Any) -> list[str]:
    """A list, or names with commas between."""
    names = given if isinstance(given, list) else str(given).split(",")
    names = list(dict.fromkeys(str(name).strip() for name in names))
    unknown = [name for name in names if name not in WEBHOOK_FIELDS]
    if unknown:
        raise GraphError(
            100, message=f"(#100) Param fields must be one of {{{', '.join(WEBHOOK_FIELDS)}}}: {unknown[0]}"
        )
    return names
