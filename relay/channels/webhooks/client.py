"""Posts signed webhooks to addresses that strangers give. The answer's status is all that counts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from relay.channels.base import TokenCache
from relay.channels.http.client import HttpTransport
from relay.channels.http.exchange import HttpResponse
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.channels.webhooks.signing import signed
from relay.core.errors import SendError
from relay.core.languages import phrase

SECONDS = 10.0
"""How long one post may take, name and connection included."""

LONGEST_KEPT = 2048
"""Characters of an answer that are kept with the attempt."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where webhooks go, and all secrets that are valid there now (`whsec_…`), the newest first.

    `tenant_id`: who named the address; "": the operator.
    """

    url: str
    secrets: tuple[str, ...]
    tenant_id: str = ""

    def __repr__(self) -> str:
        return "Receiver(...)"


class WebhookClient:
    """Https at port 443 and public addresses only, except for `inside`: what the operator lets single tenants reach.

    What a name resolved to within the last seconds is looked at for each post, and that very address is connected to.
    Redirects are not followed.
    """

    def __init__(
        self, tokens: TokenCache, inside: Mapping[str, Sequence[str]] | None = None, seconds: float = SECONDS
    ) -> None:
        """`tokens`: what the transport asks for; no token is ever shown here. `inside`: origins by tenant, "" the
        operator's own."""
        self._http = HttpTransport(tokens)
        self._inside = {tenant_id: own_origins(*urls) for tenant_id, urls in (inside or {}).items()}
        self._seconds = seconds

    def admit(self, url: str, tenant_id: str) -> None:
        """Raises SendError (refused) for an address that is never called for this tenant, "" the operator. What its
        name leads to is looked at later."""
        if not url.isascii():
            raise SendError(
                "refused", "url_refused", phrase("an address holds ASCII only; the rest is written percent-encoded")
            )
        self._trust(tenant_id).admit(url)

    def _trust(self, tenant_id: str) -> TrustedOrigins:
        return TrustedOrigins(self._inside.get(tenant_id, frozenset()), tenant_id=tenant_id)

    def post(self, receiver: Receiver, webhook_id: str, body: bytes) -> int:
        """Sends it once, and returns the status, which is 2xx. Raises SendError for all else.

        A repeat does no harm, since its id is the same: so a lost answer is "retry", as is any other status. 429 is
        "throttled", and 410 "refused": the receiver says that it is gone for good.
        """
        deadline = time.monotonic() + self._seconds
        headers = signed(webhook_id, time.time(), body, receiver.secrets)
        answer = self._http.post(receiver.url, self._trust(receiver.tenant_id), deadline, headers, body)
        if 200 <= answer.status < 300:
            return answer.status
        raise _refused(answer, receiver.secrets)

    def close(self) -> None:
        self._http.close()


def _refused(answer: HttpResponse, secrets: Sequence[str]) -> SendError:
    said = answer.kept(secrets)
    kept = said[:LONGEST_KEPT] if said else None
    text, status = phrase("it answered %(status)s", status=str(answer.status)), answer.status
    if status == 429:
        return SendError("throttled", "429", text, retry_after=answer.retry_after, status=status, answer=kept)
    return SendError("refused" if status == 410 else "retry", str(status), text, status=status, answer=kept)
