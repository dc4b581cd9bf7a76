"""What the relay may set up at Meta for a tenant: numbers listed, the app subscribed, webhooks pointed here.

Source: Meta's webhooks/override page: number before business account before app, for the field `messages`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Offer
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.core.errors import SendError
from relay.core.languages import phrase

FIELDS = "id,display_phone_number,verified_name,status,webhook_configuration"
LEVELS = ("phone_number", "whatsapp_business_account", "application")
PAGES = 5
URL_LENGTH = 200


def offers(client: WhatsAppClient, account: Account, deadline: float) -> list[Offer]:
    """The business account's numbers, 500 at most."""
    query, found = {"fields": FIELDS, "limit": "100"}, []
    for _ in range(PAGES):
        data = _good(client.get(f"{_waba(account)}/phone_numbers", account, deadline, query), account)
        found += [_offer(number) for number in records(data.get("data")) if clean(number.get("id"))]
        paging = record(data.get("paging"))
        after = clean(record(paging.get("cursors")).get("after"))
        if not after or not paging.get("next"):
            break
        query = {**query, "after": after}
    return found


def connect(client: WhatsAppClient, account: Account, deadline: float, url: str, secret: str) -> None:
    """Subscribe the token's app with our address. Meta asks it for the verify token before it agrees."""
    if len(url) > URL_LENGTH:
        raise SendError(
            "refused", "url_too_long", phrase("Meta takes addresses of %(count)s characters at most", count=URL_LENGTH)
        )
    override = {"override_callback_uri": url, "verify_token": secret}
    _good(client.post(f"{_waba(account)}/subscribed_apps", account, deadline, override), account, secret)
    number = f"/{quote(phone_number_id(account), safe='')}"
    held = _good(client.get(number, account, deadline, {"fields": "webhook_configuration"}), account)
    own = clean(record(held.get("webhook_configuration")).get("phone_number"))
    if own and own != url:
        # A number's own address wins over the business account's, so that has to be ours too.
        _good(client.post(number, account, deadline, {"webhook_configuration": override}), account, secret)


def _offer(number: dict[str, Any]) -> Offer:
    name = ", ".join(filter(None, (clean(number.get(key)) for key in ("verified_name", "display_phone_number"))))
    config = record(number.get("webhook_configuration"))
    url = next(filter(None, (clean(config.get(level)) for level in LEVELS)), "")
    return Offer(clean(number.get("id")) or "", name, clean(number.get("status")) or "", url)


def _waba(account: Account) -> str:
    return f"/{quote(account.credentials.get('waba_id', ''), safe='')}"


def _good(answer: HttpResponse, account: Account, *secrets: str) -> dict[str, Any]:
    """The object of a success. Raises SendError."""
    if answer.status >= 300 or not isinstance(answer.data, dict) or "error" in answer.data:
        raise failure(answer, (*account.credentials.values(), *secrets))
    return answer.data
