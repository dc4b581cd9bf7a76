"""What an admin's login, or a client with the permissions, sets up: integrations listed, pointed here, made.

Source: SDK models OpenIntegrationRequest and OpenIntegration; creation is asynchronous [genesys.md 2].
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import gevent

from relay.channels.base import Account, Offer
from relay.channels.genesys import profiles
from relay.channels.genesys.access import setting_up
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import failure
from relay.channels.genesys.render import integration_id
from relay.channels.http.client import HttpResponse, redact
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.core.errors import SendError
from relay.core.languages import phrase

INTEGRATIONS = "/api/v2/conversations/messaging/integrations/open"
PROFILES = "/api/v2/conversations/messaging/supportedcontent"
PAGE_SIZE = 100
PAGES = 5
SECRET_LENGTH = 16
"""Genesys takes secrets of more than 15 characters."""
PAUSE = 0.5


def offers(client: GenesysClient, account: Account, deadline: float) -> list[Offer]:
    """The organisation's Open Messaging integrations, 500 at most."""
    found: list[Offer] = []
    for page in range(1, PAGES + 1):
        query = {"pageSize": str(PAGE_SIZE), "pageNumber": str(page)}
        answer = client.call("GET", INTEGRATIONS, setting_up(account), deadline, query)
        entities = list(records(_good(answer, account).get("entities")))
        found += [_offer(one) for one in entities if clean(one.get("id"))]
        if len(entities) < PAGE_SIZE:
            break
    return found


def connect(client: GenesysClient, account: Account, deadline: float, url: str, secret: str) -> None:
    """Give the line's integration our address and secret. A change must repeat the name."""
    _check_secret(secret)
    path = f"{INTEGRATIONS}/{quote(integration_id(account), safe='')}"
    held = _good(client.call("GET", path, setting_up(account), deadline), account)
    body = _body(clean(held.get("name")) or "WhatsApp", url, secret)
    _good(client.call("PATCH", path, setting_up(account), deadline, body=body), account, secret)


def create(client: GenesysClient, account: Account, deadline: float, name: str, url: str, secret: str) -> Offer:
    """A new integration with our address and secret, as soon as Genesys has completed it.

    With a content profile of its own, since Genesys' default one keeps agents' documents back; where
    that is not permitted, without. SendError "not_ready" when it takes longer: it will turn up among the offers.
    """
    _check_secret(secret)
    acting = setting_up(account)
    body = _body(name, url, secret) | _profile(client, acting, deadline, name)
    made = client.call("POST", INTEGRATIONS, acting, deadline, body=body, harmless=False)
    found = _good(made, account, secret)
    path = f"{INTEGRATIONS}/{quote(clean(found.get('id')) or '', safe='')}"
    while clean(found.get("createStatus")) not in (None, "Completed"):
        if clean(found.get("createStatus")) == "Error":
            raise SendError("refused", "create_failed", _create_error(found, (*account.credentials.values(), secret)))
        if time.monotonic() + PAUSE >= deadline:
            raise SendError(
                "retry", "not_ready", phrase("Genesys is still making the integration; look for it in a minute")
            )
        gevent.sleep(PAUSE)
        found = _good(client.call("GET", path, acting, deadline), account, secret)
    return _offer(found)


def _profile(client: GenesysClient, acting: Account, deadline: float, name: str) -> dict[str, Any]:
    """What the integration is told of its new profile; nothing when there is none. The checks will say so then."""
    allow = {way: [{"type": mime} for mime in wished] for way, (wished, _) in profiles.DIRECTIONS.items()}
    body = {"name": name, "mediaTypes": {"allow": allow}}
    answer = client.call("POST", PROFILES, acting, deadline, body=body, harmless=False)
    made = clean(record(answer.data).get("id")) if answer.status < 300 else None
    return {"supportedContent": {"id": made}} if made else {}


def _body(name: str, url: str, secret: str) -> dict[str, Any]:
    return {
        "name": name,
        "outboundNotificationWebhookUrl": url,
        "outboundNotificationWebhookSignatureSecretToken": secret,
    }


def _offer(found: dict[str, Any]) -> Offer:
    created = clean(found.get("createStatus"))
    status = clean(found.get("status")) if created in (None, "Completed") else created
    url = clean(found.get("outboundNotificationWebhookUrl")) or ""
    return Offer(clean(found.get("id")) or "", clean(found.get("name")) or "", status or "", url)


def _good(answer: HttpResponse, account: Account, *secrets: str) -> dict[str, Any]:
    """The object of a success. Raises SendError."""
    if answer.status >= 300 or not isinstance(answer.data, dict):
        raise failure(answer, (*account.credentials.values(), *secrets))
    return record(answer.data)


def _check_secret(secret: str) -> None:
    if len(secret) < SECRET_LENGTH:
        raise SendError(
            "refused", "secret_too_short", phrase("Genesys takes a webhook secret of more than 15 characters only")
        )


def _create_error(found: dict[str, Any], secrets: tuple[str, ...]) -> str:
    said = clean(record(found.get("createError")).get("message")) or "no reason given"
    return f"Genesys could not make the integration: {redact(said, secrets)}"
