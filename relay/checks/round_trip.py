"""Signs a harmless webhook as the provider would, sends it to our own public address, and reads the answer.

What is sent holds no message; rightly signed it is kept in the archive like any other webhook.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import orjson
import requests

from relay.channels.base import Channel, Finding, Level
from relay.core.languages import phrase

SIGNATURE = "X-Hub-Signature-256"
USER_AGENT = "whatsapp-genesys-relay-check/1.0"
CALL_SECONDS = 5.0
LEAST_SECONDS = 0.5
LONGEST_ANSWER = 64 * 1024

SIDES = {"whatsapp": "WhatsApp", "genesys": "Genesys"}
UNREACHED = phrase(
    "Open the address from outside of your network. If that works, only the relay cannot reach itself there (a "
    "firewall or DNS inside), and messages still come; if not, mend DNS, firewall or reverse proxy."
)
OTHER_SERVER = phrase(
    "Compare PUBLIC_URL with the reverse proxy: it has to pass %(path)s to web unchanged, body and headers included, "
    "without login and without redirects."
)
STALE = phrase(
    "If a secret was changed just now, try again in a minute. Otherwise web runs with other settings (META_APP_SECRET, "
    "DATABASE_URL, CREDENTIALS_KEYS) than this check, or another installation answers at PUBLIC_URL."
)
STRANGE = phrase(
    "Another program answers at PUBLIC_URL, or web is out of date: make sure that the address leads to this relay."
)
LATER = phrase("Web is there, but something that it needs is away: /health/ready says what.")
TLS = phrase("The certificate has to be valid for this host and made by a public authority, with its chain complete.")


@dataclass(frozen=True, slots=True)
class ProbeResponse:
    """`ours`: the error has the shape of this relay's errors."""

    status: int
    ours: bool


class RoundTrip:
    """One channel's. `name` of the finding: round_trip_whatsapp or round_trip_genesys."""

    def __init__(self, channel: Channel, url: str, deadline: float) -> None:
        self._channel = channel
        self._side = SIDES[channel.name]
        self._url = url
        self._deadline = deadline

    def finding(self, secret: str) -> Finding:
        """Rightly signed must be taken, wrongly signed must be refused."""
        body = self._channel.empty_body
        try:
            right = self._post(body, self._channel.sign(secret, body))
            if right.status != 200:
                return self._not_taken(right)
            wrong = self._post(body, self._channel.sign(f"not {secret}", body))
        except requests.exceptions.SSLError:
            text = phrase("there is no trusted TLS connection to our own webhook address for %(side)s", side=self._side)
            return self._found("refused", text, TLS)
        except requests.Timeout:
            text = phrase("our own webhook address for %(side)s did not answer in time", side=self._side)
            return self._found("warning", text, UNREACHED)
        except requests.RequestException as error:
            text = phrase(
                "nothing answers at our own webhook address for %(side)s (%(error)s)",
                side=self._side,
                error=type(error).__name__,
            )
            return self._found("warning", text, UNREACHED)
        if wrong.status != 401:
            text = phrase(
                "a wrong signature was answered with %(status)s, and has to be refused with 401",
                status=str(wrong.status),
            )
            return self._found("refused", text, STRANGE)
        text = phrase(
            "our webhook address for %(side)s takes what is rightly signed, and refuses what is not", side=self._side
        )
        return self._found("ok", text)

    def _not_taken(self, reply: ProbeResponse) -> Finding:
        status, ours = reply.status, reply.ours
        if ours and status == 401:
            return self._found("refused", phrase("our own web does not know the secret that signs this line"), STALE)
        if ours and status == 503:
            return self._found("warning", phrase("our own web cannot take webhooks at the moment"), LATER)
        advice, told = phrase(OTHER_SERVER, path="/webhook/"), str(status)
        if 300 <= status < 400:
            text = phrase("our webhook address redirects (%(status)s); providers do not follow", status=told)
        elif ours:
            text = phrase("our own web answers at our webhook address, with %(status)s in place of 200", status=told)
        else:
            text = phrase("another server answers at our webhook address, with %(status)s in place of 200", status=told)
        return self._found("refused", text, advice)

    def _post(self, body: bytes, signature: str) -> ProbeResponse:
        seconds = min(CALL_SECONDS, self._deadline - time.monotonic())
        if seconds < LEAST_SECONDS:
            raise requests.Timeout
        headers = {"Content-Type": "application/json", SIGNATURE: signature, "User-Agent": USER_AGENT}
        with requests.post(
            self._url, body, headers=headers, timeout=seconds, allow_redirects=False, stream=True
        ) as answer:
            said = next(answer.iter_content(LONGEST_ANSWER), b"")
            return ProbeResponse(answer.status_code, _is_ours(said, answer.headers.get("X-Request-ID")))

    def _found(self, level: Level, text: str, advice: str = "") -> Finding:
        return Finding(f"round_trip_{self._channel.name}", level, text, advice)


def _is_ours(said: bytes, request_id: str | None) -> bool:
    """Our errors have one shape, and the id of the request in it."""
    try:
        return request_id is not None and bool(orjson.loads(said)["error"]["request_id"] == request_id)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
