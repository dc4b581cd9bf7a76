"""The checks of a line before it goes live. Only Genesys' explicit no refuses it.

Source: SDK models OpenIntegration and SupportedContent; permissions from the CLI.
"""

from __future__ import annotations

import hmac
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Finding
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.errors import error_body, failure
from relay.channels.genesys.render import integration_id
from relay.channels.reading import record, records
from relay.channels.text import clean
from relay.core.errors import SendError

MESSAGING = "/api/v2/conversations/messaging"
WISHED = ("application/pdf", "audio/mpeg", "video/mp4", "image/jpeg")


def check(client: GenesysClient, account: Account, deadline: float) -> list[Finding]:
    """The OAuth client, the integration, and what its content profile lets through."""
    try:
        client.tokens.fresh(account, deadline)
    except SendError as error:
        return [Finding("token", _level(error), error.text)]
    granted = [Finding("token", "ok", "Genesys gives the OAuth client an access token")]
    path = f"{MESSAGING}/integrations/open/{quote(integration_id(account), safe='')}"
    found, trouble = _get(client, account, deadline, "integration", path)
    if found is None:
        return granted + trouble
    profile = clean(record(found.get("supportedContent")).get("id"))
    return granted + _integration(found, account) + _content(client, account, deadline, profile)


def _get(
    client: GenesysClient, account: Account, deadline: float, name: str, path: str
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """What was found, or the finding that it was not. A missing permission to look is no refusal."""
    try:
        answer = client.call("GET", path, account, deadline)
    except SendError as error:
        return None, [Finding(name, "warning", f"could not be looked up: {error.text}")]
    if answer.status == 200 and isinstance(answer.data, dict):
        return answer.data, []
    if answer.status == 404 and error_body(answer) is not None and name == "integration":
        return None, [Finding(name, "refused", "Genesys knows no such Open Messaging integration in this org")]
    text = failure(answer, account.credentials.values()).text
    return None, [Finding(name, "warning", f"could not be looked up: {text}")]


def _integration(found: dict[str, Any], account: Account) -> list[Finding]:
    findings = [Finding("integration", "ok", "the Open Messaging integration exists")]
    status = clean(found.get("createStatus"))
    if status and status != "Completed":
        findings.append(Finding("integration", "warning", f"its creation is not complete: {status}"))
    secret = clean(found.get("outboundNotificationWebhookSignatureSecretToken")) or ""
    own = account.credentials.get("webhook_secret", "")
    if secret and "*" not in secret and not hmac.compare_digest(secret.encode(), own.encode()):
        text = "its signature secret is another than the relay's, so webhooks will be refused"
        findings.append(Finding("webhook_secret", "warning", text))
    return findings


def _content(client: GenesysClient, account: Account, deadline: float, profile: str | None) -> list[Finding]:
    """A message with a file that the profile does not list is not sent, or loses the file, in silence."""
    path = f"{MESSAGING}/supportedcontent/{quote(profile, safe='') if profile else 'default'}"
    found, trouble = _get(client, account, deadline, "content", path)
    if found is None:
        return trouble
    allowed = record(record(found.get("mediaTypes")).get("allow"))
    findings = []
    for direction in ("inbound", "outbound"):
        patterns = [clean(item.get("type")) or "" for item in records(allowed.get(direction))]
        missing = [mime for mime in WISHED if not any(fnmatchcase(mime, pattern) for pattern in patterns)]
        if missing:
            text = f"the content profile blocks {direction}: {', '.join(missing)}"
            findings.append(Finding("content", "warning", text))
    return findings or [Finding("content", "ok", "the content profile lets the usual files through")]


def _level(error: SendError) -> str:
    return "refused" if error.fate == "credentials" else "warning"
