"""The checks of a line's Genesys side. Only Genesys' explicit no refuses it, only its explicit yes proves it.

Source: SDK models OpenIntegration and SupportedContent; permissions from the CLI [genesys.md 2.1].
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import quote
from uuid import UUID

from relay.channels.base import Account, Expected, Finding
from relay.channels.genesys import advice, profiles
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import error_body, failure, missing_permissions
from relay.channels.genesys.history import MESSAGES, VIEW
from relay.channels.genesys.render import integration_id
from relay.channels.genesys.setup import INTEGRATIONS, PROFILES
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record
from relay.channels.text import clean
from relay.core.errors import SendError
from relay.core.languages import phrase

RECEIVE = "conversation:message:receive"
DISCONNECT = "conversation:communication:disconnect"
VIEW_INTEGRATION = "messaging:integration:view"
VIEW_CONTENT = "messaging:supportedContent:view"
NOBODYS_MESSAGE = "0" * 32
NOBODYS_CONVERSATION = str(UUID(int=0))
PROOFS = ("integration",)
"""The client sees the integration, so it is one of the client's organisation."""


def check(client: GenesysClient, account: Account, deadline: float, expected: Expected) -> list[Finding]:
    """The OAuth client, the integration, what its content profile lets through, and what the client may do."""
    try:
        client.tokens.fresh(account, deadline)
    except SendError as error:
        return [_no_token(error)]
    looks = _LookUps(client, account, deadline)
    findings = [Finding("token", "ok", phrase("Genesys gives the OAuth client an access token")), *_grant(account)]
    found, integration = looks.integration(expected)
    findings += integration
    if found is not None:
        findings += looks.content(clean(record(found.get("supportedContent")).get("id")))
    findings += looks.history()
    if account.settings.get("end_words"):
        findings += looks.ending()
    if expected.thorough:
        findings += looks.receive()
    return findings


class _LookUps:
    """The single look-ups, for one account."""

    def __init__(self, client: GenesysClient, account: Account, deadline: float) -> None:
        self._client = client
        self._account = account
        self._deadline = deadline
        self._id = quote(integration_id(account), safe="")

    def integration(self, expected: Expected) -> tuple[dict[str, Any] | None, list[Finding]]:
        found = self._get("integration", f"{INTEGRATIONS}/{self._id}", VIEW_INTEGRATION)
        if isinstance(found, Finding):
            return None, [found]
        if clean(found.get("id")) != integration_id(self._account):
            text = phrase("Genesys' answer does not name this integration by the id that was entered")
            return None, [Finding("integration", "warning", text, advice.INTEGRATION)]
        findings = [*_created(found), *_webhook(found, expected), *_secret(found, self._account)]
        return found, findings

    def content(self, profile: str | None) -> list[Finding]:
        """A message with a file that the profile does not list is not sent, or loses the file, in silence."""
        path = f"{PROFILES}/{quote(profile, safe='') if profile else 'default'}"
        found = self._get("content", path, VIEW_CONTENT)
        return [found] if isinstance(found, Finding) else profiles.findings(found)

    def history(self) -> list[Finding]:
        """Whether what was written can be asked for later: a message that is nowhere is not found, or not permitted."""
        path = f"{MESSAGES}/{NOBODYS_MESSAGE}/details"
        try:
            answer = self._client.call("GET", path, self._account, self._deadline)
        except SendError as error:
            return [_unknown("history", error.text)]
        own = error_body(answer) is not None
        if answer.status == 403 and own:
            return [Finding("history", "warning", _may_not(answer, VIEW), advice.HISTORY)]
        if answer.status < 300 or (answer.status in (400, 404) and own):
            return [Finding("history", "ok", phrase("what agents wrote while this relay was away can be asked for"))]
        return [_unknown("history", failure(answer, self._account.credentials.values()).text)]

    def ending(self) -> list[Finding]:
        """Whether a customer's word may end a conversation: one that is nowhere is not found, or not permitted."""
        path, body = f"{MESSAGES}/{NOBODYS_CONVERSATION}", {"state": "disconnected"}
        try:
            answer = self._client.call("PATCH", path, self._account, self._deadline, body=body)
        except SendError as error:
            return [_unknown("ending", error.text)]
        own = error_body(answer) is not None
        if answer.status == 403 and own:
            return [Finding("ending", "warning", _may_not(answer, DISCONNECT), advice.ENDING)]
        if answer.status in (400, 404) and own:
            return [Finding("ending", "ok", phrase("a customer's word may end a conversation"))]
        return [_unknown("ending", failure(answer, self._account.credentials.values()).text)]

    def receive(self) -> list[Finding]:
        """No look-up tells of this permission, so an empty message is tried: Genesys cannot take it."""
        path = f"/api/v2/conversations/messages/{self._id}/inbound/open/message"
        try:
            answer = self._client.call("POST", path, self._account, self._deadline, body={})
        except SendError as error:
            return [_unknown("receive", error.text)]
        if answer.status == 403 and error_body(answer) is not None:
            return [Finding("receive", "refused", _may_not(answer, RECEIVE), advice.RECEIVE)]
        if answer.status == 400 and error_body(answer) is not None:
            text = phrase("Genesys looks at messages of this client; the test message proves that it takes them")
            return [Finding("receive", "ok", text)]
        return [_unknown("receive", failure(answer, self._account.credentials.values()).text)]

    def _get(self, check: str, path: str, permission: str) -> dict[str, Any] | Finding:
        """What was found, or the finding that it was not. A missing permission to look is no refusal."""
        try:
            answer = self._client.call("GET", path, self._account, self._deadline)
        except SendError as error:
            return _unknown(check, error.text)
        if answer.status == 200 and isinstance(answer.data, dict):
            return answer.data
        own = error_body(answer) is not None
        if answer.status == 403 and own:
            if check == "integration":
                return Finding(check, "warning", _may_not(answer, permission), advice.SEEING)
            return Finding("permissions", "warning", _may_not(answer, permission), advice.LOOKING)
        if answer.status == 404 and own and check == "integration":
            text = phrase("Genesys knows no such Open Messaging integration in this organisation")
            return Finding(check, "refused", text, advice.INTEGRATION)
        return _unknown(check, failure(answer, self._account.credentials.values()).text)


def _no_token(error: SendError) -> Finding:
    level = "refused" if error.fate == "credentials" else "warning"
    if level == "warning":
        return _unknown("token", error.text)
    if error.code == "unknown_region":
        return Finding("token", "refused", error.text, advice.REGION)
    return Finding("token", "refused", error.text, advice.LOGIN if error.code == "invalid_grant" else advice.CLIENT)


def _grant(account: Account) -> list[Finding]:
    if not account.credentials.get("refresh_token"):
        return []
    text = phrase("this is connected by a login only, and Genesys takes customers' messages from no user's token")
    return [Finding("grant", "warning", text, advice.GRANT)]


def _created(found: dict[str, Any]) -> list[Finding]:
    """That it is there proves whose it is, whatever else is to be said of it."""
    seen = Finding("integration", "ok", phrase("the Open Messaging integration is one of the client's organisation"))
    created, status = clean(found.get("createStatus")), clean(found.get("status"))
    if created and created != "Completed":
        return [
            seen,
            Finding(
                "integration",
                "warning",
                phrase("its creation is not complete: %(status)s", status=created),
                advice.CREATION,
            ),
        ]
    if status and status.lower() != "active":
        return [
            seen,
            Finding(
                "integration",
                "warning",
                phrase("the integration is not active but %(status)s", status=status),
                advice.INACTIVE,
            ),
        ]
    return [seen]


def _webhook(found: dict[str, Any], expected: Expected) -> list[Finding]:
    if not expected.webhook_urls:
        return []
    url = (clean(found.get("outboundNotificationWebhookUrl")) or "").rstrip("/")
    if url in expected.webhook_urls:
        return [Finding("webhook", "ok", phrase("the integration sends agents' messages to this relay"))]
    wanted = expected.webhook_urls[0]
    text = phrase("no webhook address is set")
    if url:
        text = phrase("agents' messages go to %(url)s, not to this relay", url=url.partition("?")[0])
    return [Finding("webhook", "warning", text, phrase(advice.WEBHOOK, url=wanted))]


def _secret(found: dict[str, Any], account: Account) -> list[Finding]:
    """Genesys may mask it; then only an agent's message tells."""
    secret = clean(found.get("outboundNotificationWebhookSignatureSecretToken")) or ""
    own = account.credentials.get("webhook_secret", "")
    if not secret or "*" in secret or not own:
        return []
    if hmac.compare_digest(secret.encode(), own.encode("utf-8", "replace")):
        return [Finding("webhook_secret", "ok", phrase("the integration signs with the secret that is set here"))]
    text = phrase("its signature secret is another than the relay's, so webhooks will be refused")
    return [Finding("webhook_secret", "warning", text, advice.SIGNATURE)]


def _may_not(answer: HttpResponse, expected: str) -> str:
    named = ", ".join(missing_permissions(answer) or [expected])
    return phrase("Genesys does not permit this to the OAuth client; missing permission: %(named)s", named=named)


def _unknown(check: str, text: str) -> Finding:
    return Finding(check, "warning", phrase("could not be looked up: %(why)s", why=text), advice.AGAIN)
