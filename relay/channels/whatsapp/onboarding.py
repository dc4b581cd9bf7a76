"""The checks of a line before it goes live. Only Meta's explicit no refuses it.

Source: Meta's access-token, about-the-platform and embedded-signup pages.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Finding
from relay.channels.http import Answer
from relay.channels.reading import first, record, records
from relay.channels.text import clean
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure, is_foreign, meta_error
from relay.channels.whatsapp.render import phone_number_id
from relay.core.errors import SendError

NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating,throughput,webhook_configuration"
PAGES = 20


def check(client: WhatsAppClient, account: Account, deadline: float) -> list[Finding]:
    """Token, number, ownership and subscription, in this order; a refused token ends it."""
    looks = _Looks(client, account, deadline)
    findings = looks.number()
    if not any(finding.check == "token" and finding.level == "refused" for finding in findings):
        findings += looks.ownership() + looks.subscription() + looks.token()
    return findings


class _Looks:
    """The single look-ups, for one account."""

    def __init__(self, client: WhatsAppClient, account: Account, deadline: float) -> None:
        self._client = client
        self._account = account
        self._deadline = deadline
        self._number = phone_number_id(account)
        self._waba = account.credentials.get("waba_id", "")

    def number(self) -> list[Finding]:
        answer, trouble = self._get("number", f"/{quote(self._number, safe='')}", {"fields": NUMBER_FIELDS})
        if answer is None:
            return trouble
        quality = clean(record(answer.data).get("quality_rating"))
        return [
            Finding("token", "ok", "WhatsApp accepts the access token"),
            Finding("number", "ok", "the number is visible" + (f", quality {quality}" if quality else "")),
        ]

    def ownership(self) -> list[Finding]:
        """The number has to be in the list of its business account; only a complete list can say no."""
        path = f"/{quote(self._waba, safe='')}/phone_numbers"
        query = {"fields": "id", "limit": "100"}
        for _ in range(PAGES):
            answer, trouble = self._get("ownership", path, query)
            if answer is None:
                return trouble
            data = record(answer.data)
            if any(clean(number.get("id")) == self._number for number in records(data.get("data"))):
                return [Finding("ownership", "ok", "the number belongs to the business account")]
            paging = record(data.get("paging"))
            after = clean(record(paging.get("cursors")).get("after"))
            if not isinstance(data.get("data"), list):
                return [Finding("ownership", "warning", "WhatsApp's list of numbers could not be read")]
            if not after or not paging.get("next"):
                return [Finding("ownership", "refused", "the number is not one of the business account's numbers")]
            query = {**query, "after": after}
        return [Finding("ownership", "warning", "the list of numbers is too long to be searched")]

    def subscription(self) -> list[Finding]:
        """Without it no webhook comes: the most common cause of silence."""
        answer, trouble = self._get("subscription", f"/{quote(self._waba, safe='')}/subscribed_apps", {})
        if answer is None:
            return trouble
        if first(record(answer.data).get("data")):
            return [Finding("subscription", "ok", "an app is subscribed to the business account")]
        text = "no app is subscribed to the business account, so no message will arrive"
        return [Finding("subscription", "warning", text)]

    def token(self) -> list[Finding]:
        """How long the token lives. Optional: Meta may refuse the look-up to this token."""
        token = self._account.credentials.get("access_token", "")
        answer, trouble = self._get("token", "/debug_token", {"input_token": token})
        data = record(record(answer.data).get("data")) if answer else {}
        if not data:
            return trouble or [Finding("token", "warning", "the token's lifetime could not be looked up")]
        if data.get("is_valid") is False:
            return [Finding("token", "refused", "WhatsApp says that the access token is not valid")]
        expires = data.get("expires_at")
        if isinstance(expires, int) and expires > 0:
            days = max(0, int((expires - time.time()) / 86400))
            return [Finding("token", "warning", f"the access token expires in {days} days")]
        return [Finding("token", "ok", "the access token does not expire")]

    def _get(self, check: str, path: str, query: Mapping[str, str]) -> tuple[Answer | None, list[Finding]]:
        """A good answer, or the finding that there is none."""
        try:
            answer = self._client.get(path, self._account, self._deadline, query)
        except SendError as error:
            level = "refused" if error.fate == "credentials" else "warning"
            return None, [Finding("token" if level == "refused" else check, level, error.text)]
        if answer.status == 200 and isinstance(answer.data, dict) and "error" not in answer.data:
            return answer, []
        return None, [_refusal(check, answer, self._account.credentials.values())]


def _refusal(check: str, answer: Answer, secrets: Any) -> Finding:
    error = meta_error(answer)
    if error is not None and error["code"] in (0, 190):
        return Finding("token", "refused", f"WhatsApp refuses the access token: {failure(answer, secrets).text}")
    if error is not None and is_foreign(error) and check != "token":
        return Finding(check, "refused", "WhatsApp does not show this to the token: wrong id, or not yours")
    return Finding(check, "warning", f"could not be looked up: {failure(answer, secrets).text}")
