"""The webhook fields that a Meta app is subscribed to: looked up, judged, and set. Asked as the app itself.

Source: Graph API, webhooks/subscriptions-edge. Whether Meta replaces the list or adds to it is not documented, so the
whole list is sent, with all that was there before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import quote

from relay.channels.base import Account, Finding, Level
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.webhook_fields import SubscribedFields, WebhookField
from relay.channels.whatsapp.account import advice, inspection
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure
from relay.channels.whatsapp.wanted_fields import USES, WANTED, Use, in_words, missing
from relay.core.errors import SendError
from relay.core.languages import phrase

OBJECT = "whatsapp_business_account"
ANSWER_FIELDS = 200
"""An app has a few dozen; what is beyond is not read."""
MEANS: dict[Use, tuple[Level, str]] = {
    "traffic": ("warning", phrase("messages go unnoticed")),
    "health": ("warning", phrase("trouble with the account is not told here")),
    "portal": ("warning", phrase("the portal's templates are not kept fresh")),
    "optional": ("ok", phrase("nothing is lost by that")),
}


class AppFields:
    """The contract of base.FieldSubscription."""

    def __init__(self, client: WhatsAppClient) -> None:
        self._client = client

    def subscribed(self, account: Account, deadline: float) -> SubscribedFields:
        """What the token's app is subscribed to. Raises SendError."""
        return read(self._client, account, app_of(self._client, account, deadline), deadline)

    def subscribe(self, account: Account, deadline: float, urls: Sequence[str], secret: str) -> SubscribedFields:
        """All wanted fields, beside those that are there; read back. Raises SendError.

        `urls` are the addresses by which we are reached; an app whose webhook goes elsewhere is left alone.
        """
        app_id = app_of(self._client, account, deadline)
        before = read(self._client, account, app_id, deadline)
        url = before.callback_url.rstrip("/")
        if url and url not in urls:
            text = phrase(
                "the app's webhook goes to %(url)s, not to this relay, and is left as it is", url=url.partition("?")[0]
            )
            raise SendError("refused", "other_webhook", text)
        names = dict.fromkeys([*WANTED, *(field.name for field in before.fields if field.subscribed)])
        body = {"object": OBJECT, "callback_url": url or urls[0], "verify_token": secret, "fields": list(names)}
        as_app = _as_app(account, app_id)
        _good(self._client.post(_path(app_id), as_app, deadline, body), as_app, secret)
        after = read(self._client, account, app_id, deadline)
        if not after.complete:
            text = phrase("WhatsApp took the list of fields, but names not all of them yet; look again in a minute")
            raise SendError("retry", "fields_missing", text)
        return after


def app_of(client: WhatsAppClient, account: Account, deadline: float) -> str:
    """The id of the token's app, as WhatsApp says it. Raises SendError."""
    token = account.credentials.get("access_token", "")
    answer = client.get("/debug_token", account, deadline, {"input_token": token})
    app_id = clean((inspection.data_of(answer) or {}).get("app_id"))
    if answer.status >= 300:
        raise failure(answer, account.credentials.values())
    if not app_id:
        raise SendError("refused", "unknown_app", phrase("WhatsApp does not say which app the access token belongs to"))
    return app_id


def read(client: WhatsAppClient, account: Account, app_id: str, deadline: float) -> SubscribedFields:
    """Raises SendError."""
    as_app = _as_app(account, app_id)
    data = _good(client.get(_path(app_id), as_app, deadline), as_app)
    if not isinstance(data.get("data"), list):
        raise SendError("retry", "unreadable", phrase("WhatsApp's list of webhook fields could not be read"))
    ours = next((one for one in records(data["data"]) if clean(one.get("object")) == OBJECT), {})
    # A subscription that is switched off posts nothing.
    fields = list(records(ours.get("fields")))[:ANSWER_FIELDS] if ours.get("active") is not False else []
    names = {name for one in fields if (name := clean(one.get("name")))}
    return SubscribedFields(app_id, clean(ours.get("callback_url")) or "", _listed(names))


def findings(found: SubscribedFields) -> list[Finding]:
    """One for each use that lacks something; the optional ones are told, and no fault."""
    names = {field.name for field in found.fields if field.subscribed}
    if "messages" not in names:
        text = phrase(
            "the app %(app)s is not subscribed to the webhook field messages: this line is deaf", app=found.app_id
        )
        return [Finding("webhook_fields", "warning", text, advice.FIELDS)]
    told = [_lacking(use, lacking) for use in USES if (lacking := missing(names, use))]
    return told or [
        Finding("webhook_fields", "ok", phrase("the app is subscribed to every webhook field that is of use here"))
    ]


def _lacking(use: Use, names: Sequence[str]) -> Finding:
    level, means = MEANS[use]
    text = phrase("the app is not subscribed to %(fields)s: %(means)s", fields=in_words(names), means=means)
    return Finding(f"{use}_fields", level, text, advice.FIELDS if level != "ok" else "")


def _listed(names: Collection[str]) -> tuple[WebhookField, ...]:
    """The wanted ones in their order, then what else the app is subscribed to."""
    wanted = [WebhookField(name, one.use, one.purpose, name in names) for name, one in WANTED.items()]
    others = [WebhookField(name, "other", "", True) for name in sorted(set(names) - set(WANTED))]
    return (*wanted, *others)


def _as_app(account: Account, app_id: str) -> Account:
    secret = account.credentials.get("app_secret", "")
    if not secret:
        raise SendError(
            "refused", "no_app_secret", phrase("only the app itself may look this up, and its secret is not set")
        )
    return inspection.as_app(account, app_id, secret)


def _path(app_id: str) -> str:
    return f"/{quote(app_id, safe='')}/subscriptions"


def _good(answer: HttpResponse, account: Account, *secrets: str) -> dict[str, object]:
    if answer.status >= 300 or not isinstance(answer.data, dict) or "error" in answer.data:
        raise failure(answer, (*account.credentials.values(), *secrets))
    return record(answer.data)
