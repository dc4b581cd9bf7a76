"""The checks of a line's WhatsApp side. Only Meta's explicit no refuses it, only its explicit yes proves it.

Source: Meta's access-token, about-the-platform, webhooks/override and embedded-signup pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from relay.channels.base import Account, Expected, Finding
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record, records
from relay.channels.text import clean
from relay.channels.whatsapp.account import advice, app_fields, coexistence, inspection, roles
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure, is_foreign, meta_error
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.core.errors import SendError
from relay.core.languages import phrase

NUMBER_FIELDS = "display_phone_number,verified_name,quality_rating,throughput,webhook_configuration"
HEALTH_FIELDS = "status,health_status,whatsapp_business_manager_messaging_limit"
PAGES = 20
PROOFS = ("number", "ownership")
"""The token sees the number, and the number is one of the business account's."""

Found = dict[str, Any]


def check(client: WhatsAppClient, account: Account, deadline: float, expected: Expected) -> list[Finding]:
    """Token, number, ownership, subscription and webhook, in this order; a refused token ends it."""
    looks = _LookUps(client, account, deadline)
    number, findings = looks.number()
    if any(finding.check == "token" and finding.level == "refused" for finding in findings):
        return findings
    token, told = looks.token()
    apps, subscription = looks.subscription(clean(record(token).get("app_id")))
    findings += looks.ownership() + told + subscription
    secret = looks.app_secret(token)
    findings += secret
    if number is not None:
        findings += _webhook(number, apps, expected) + looks.health(number) + looks.coexistence()
    if expected.thorough:
        findings += looks.roles()
        if all(finding.level != "refused" for finding in secret):
            findings += looks.fields(token)
    return findings


class _LookUps:
    """The single look-ups, for one account."""

    def __init__(self, client: WhatsAppClient, account: Account, deadline: float) -> None:
        self._client = client
        self._account = account
        self._deadline = deadline
        self._number = phone_number_id(account)
        self._waba = account.credentials.get("waba_id", "")

    def number(self) -> tuple[Found | None, list[Finding]]:
        path = f"/{quote(self._number, safe='')}"
        found = self._get("number", path, {"fields": NUMBER_FIELDS}, advice.NUMBER)
        if isinstance(found, Finding):
            return None, [found]
        if clean(found.get("id")) != self._number:
            text = phrase("WhatsApp's answer does not name the number by the id that was entered")
            return None, [Finding("number", "warning", text, advice.NUMBER)]
        name = ", ".join(filter(None, (clean(found.get(key)) for key in ("verified_name", "display_phone_number"))))
        text = phrase("the number is visible to the token")
        if name:
            text = phrase("the number is visible to the token: %(name)s", name=name)
        accepted = Finding("token", "ok", phrase("WhatsApp accepts the access token"))
        return found, [accepted, Finding("number", "ok", text, name=name)]

    def ownership(self) -> list[Finding]:
        """The number has to be in the list of its business account; only a complete list can say no."""
        path = f"/{quote(self._waba, safe='')}/phone_numbers"
        query = {"fields": "id", "limit": "100"}
        for _ in range(PAGES):
            data = self._get("ownership", path, query, advice.ACCOUNT)
            if isinstance(data, Finding):
                return [data]
            if any(clean(number.get("id")) == self._number for number in records(data.get("data"))):
                return [Finding("ownership", "ok", phrase("the number belongs to the business account"))]
            paging = record(data.get("paging"))
            after = clean(record(paging.get("cursors")).get("after"))
            if not isinstance(data.get("data"), list):
                return [
                    Finding(
                        "ownership", "warning", phrase("WhatsApp's list of numbers could not be read"), advice.AGAIN
                    )
                ]
            if not after or not paging.get("next"):
                text = phrase("the number is not one of the business account's numbers: it belongs to another account")
                return [Finding("ownership", "refused", text, advice.ACCOUNT)]
            query = {**query, "after": after}
        return [
            Finding("ownership", "warning", phrase("the list of numbers is too long to be searched"), advice.ACCOUNT)
        ]

    def subscription(self, own_app: str | None) -> tuple[list[Found], list[Finding]]:
        """Without it no webhook comes: the most common cause of silence."""
        path = f"/{quote(self._waba, safe='')}/subscribed_apps"
        found = self._get("subscription", path, {}, advice.ACCOUNT)
        if isinstance(found, Finding):
            return [], [found]
        apps = list(records(found.get("data")))
        ids = [clean(record(app.get("whatsapp_business_api_data")).get("id")) for app in apps]
        if not apps:
            text = phrase("no app is subscribed to the business account, so no message of a customer will arrive")
            return [], [Finding("subscription", "warning", text, advice.SUBSCRIPTION)]
        if own_app and any(ids) and own_app not in ids:
            text = phrase("another app is subscribed to the business account, not the token's (%(app)s)", app=own_app)
            return apps, [Finding("subscription", "warning", text, advice.SUBSCRIPTION)]
        return apps, [Finding("subscription", "ok", phrase("an app is subscribed to the business account"))]

    def token(self) -> tuple[Found | None, list[Finding]]:
        """What Meta says of the token. Optional: it may refuse the look-up to this token."""
        answer, error = self._ask("/debug_token", {"input_token": self._account.credentials.get("access_token", "")})
        data = inspection.data_of(answer)
        if data is None:
            return None, [_unknown("token_life", error or self._text(answer))]
        return data, inspection.findings(data, self._waba)

    def app_secret(self, token: Found | None) -> list[Finding]:
        """Asked as the app itself, which only the right secret can do. Told only where the token's app is known."""
        secret = self._account.credentials.get("app_secret", "")
        app_id = clean(record(token).get("app_id"))
        if not secret or not app_id:
            return []
        token_itself = {"input_token": self._account.credentials.get("access_token", "")}
        answer, error = self._ask("/debug_token", token_itself, inspection.as_app(self._account, app_id, secret))
        if inspection.data_of(answer) is not None:
            return [Finding("app_secret", "ok", phrase("the app secret is that of the app %(app)s", app=app_id))]
        said = meta_error(answer) if answer is not None else None
        if said is None or said["code"] not in inspection.NOT_THE_APP:
            return [_unknown("app_secret", error or self._text(answer))]
        text = phrase("the app secret is not that of the app %(app)s, so every webhook would be refused", app=app_id)
        return [Finding("app_secret", "refused", text, phrase(advice.OTHER_APP, app_id=app_id))]

    def health(self, number: Found) -> list[Finding]:
        """For information: what Meta thinks of the number, and how much it may send."""
        answer, _ = self._ask(f"/{quote(self._number, safe='')}", {"fields": HEALTH_FIELDS})
        good = answer is not None and answer.status == 200
        return inspection.health({**number, **(record(answer.data) if answer is not None and good else {})})

    def coexistence(self) -> list[Finding]:
        """For information. Optional: a number that Meta says nothing more of is none that is used elsewhere."""
        answer, _ = self._ask(f"/{quote(self._number, safe='')}", {"fields": coexistence.FIELDS})
        return coexistence.findings(answer)

    def fields(self, token: Found | None) -> list[Finding]:
        """Which webhook fields the app is subscribed to. Only told where the app and its secret are known."""
        app_id = clean(record(token).get("app_id"))
        if not self._account.credentials.get("app_secret") or not app_id:
            return []
        try:
            return app_fields.findings(app_fields.read(self._client, self._account, app_id, self._deadline))
        except SendError as error:
            return [_unknown("webhook_fields", error.text)]

    def roles(self) -> list[Finding]:
        answer, _ = self._ask(f"/{quote(self._number, safe='')}/{roles.EDGE}", {})
        return roles.findings(answer)

    def _ask(
        self, path: str, query: Mapping[str, str], account: Account | None = None
    ) -> tuple[HttpResponse | None, str | None]:
        """The answer, whatever it is, or why there is none."""
        try:
            return self._client.get(path, account or self._account, self._deadline, query), None
        except SendError as error:
            return None, error.text

    def _get(self, check: str, path: str, query: Mapping[str, str], foreign: str) -> Found | Finding:
        """A good answer's object, or the finding that there is none. `foreign`: advice when it is not to be seen."""
        try:
            answer = self._client.get(path, self._account, self._deadline, query)
        except SendError as error:
            if error.fate == "credentials":
                return Finding("token", "refused", error.text, advice.GENERATE)
            return _unknown(check, error.text)
        if answer.status == 200 and isinstance(answer.data, dict) and "error" not in answer.data:
            return answer.data
        return self._refusal(check, answer, foreign)

    def _refusal(self, check: str, answer: HttpResponse, foreign: str) -> Finding:
        error = meta_error(answer)
        if error is not None and error["code"] in (0, 190):
            text = phrase("WhatsApp refuses the access token: %(why)s", why=self._text(answer))
            return Finding("token", "refused", text, advice.GENERATE)
        if error is not None and is_foreign(error):
            text = phrase("WhatsApp does not show this to the token: a wrong id, or somebody else's")
            return Finding(check, "refused", text, foreign)
        if error is not None and (error["code"] in (3, 10) or 200 <= error["code"] < 300):
            text = phrase("the token may not look this up: %(why)s", why=self._text(answer))
            return Finding(check, "warning", text, advice.SCOPES)
        return _unknown(check, self._text(answer))

    def _text(self, answer: HttpResponse | None) -> str:
        if answer is None:
            return phrase("no answer")
        return failure(answer, self._account.credentials.values()).text


def _webhook(number: Found, apps: list[Found], expected: Expected) -> list[Finding]:
    """Meta's precedence: the number's own address, then the business account's, then the app's."""
    if not expected.webhook_urls:
        return []
    config = record(number.get("webhook_configuration"))
    overrides = (clean(app.get("override_callback_uri")) for app in apps)
    told = (clean(config.get(level)) for level in ("phone_number", "whatsapp_business_account", "application"))
    url = (next(filter(None, (*told, *overrides)), None) or "").rstrip("/")
    if url in expected.webhook_urls:
        return [Finding("webhook", "ok", phrase("Meta sends this number's messages to this relay"))]
    text = phrase("Meta names no webhook address")
    if url:
        text = phrase("this number's messages go to %(url)s, not to this relay", url=url.partition("?")[0])
    return [Finding("webhook", "warning", text, phrase(advice.WEBHOOK, url=expected.webhook_urls[0]))]


def _unknown(check: str, text: str) -> Finding:
    return Finding(check, "warning", phrase("could not be looked up: %(why)s", why=text), advice.AGAIN)
