"""Genesys Cloud Open Messaging. Deleting this folder and its name in channels/__init__ removes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, Any

from relay.channels.base import (
    NOTHING_EXPECTED,
    Account,
    Download,
    Expected,
    Finding,
    Login,
    Offer,
    Request,
    Sent,
    Token,
)
from relay.channels.genesys import limits, onboarding, reasons, render, setup, webhook
from relay.channels.genesys.access import carrying, logging_in
from relay.channels.genesys.client import GenesysClient
from relay.channels.genesys.ends import GenesysEnds
from relay.channels.genesys.history import GenesysHistory
from relay.channels.genesys.parse import parse
from relay.channels.http.client import HttpTransport
from relay.channels.raw_update import RawUpdate
from relay.core.errors import CannotCarry, SendError
from relay.core.explain.causes import Cause
from relay.core.languages import phrase
from relay.core.messages import Event, Media, Message, Recipient, Report, Signal
from relay.core.templates.listed import ListedTemplate


class GenesysChannel:
    """The contract of base.Channel; the work is done in the modules beside this one."""

    name = "genesys"
    uploads_media = False
    logs_in = True
    empty_body = b"[]"
    billing = None
    proofs = onboarding.PROOFS
    catalogue = None
    fields = None

    def __init__(self, transport: HttpTransport) -> None:
        self._client = GenesysClient(transport)
        self.history = GenesysHistory(self._client)
        self.ends = GenesysEnds(self._client, transport)
        self.stand_in = any(origin.scheme == "http" for origin in transport.genesys_origins)

    def sign(self, secret: str, raw: bytes) -> str:
        return webhook.sign(secret, raw)

    def verify(self, secret: str, raw: bytes, signature: str | None) -> bool:
        return webhook.verify(secret, raw, signature)

    def split(self, body: Any) -> Iterator[RawUpdate]:
        return webhook.split(body)

    def keep(self, body: Any, line_refs: set[str]) -> Any:
        return webhook.keep(body, line_refs)

    def rewrite(self, body: Any, line_refs: set[str], change: Callable[[Any], Any]) -> Any:
        return webhook.rewrite(body, line_refs, change)

    def parse(self, payload: dict[str, Any]) -> list[Event]:
        return parse(payload)

    def fit(self, message: Message) -> list[Message]:
        return limits.fit(message)

    def fit_media(self, media: Media) -> Media:
        return limits.fit_media(media)

    def render(
        self,
        message: Message,
        message_id: str,
        to: Recipient,
        account: Account,
        media_url: str | None,
        languages: Sequence[ListedTemplate] = (),
    ) -> Request:
        return render.render(message, message_id, to, account, media_url)

    def render_report(self, report: Report, to: Recipient, account: Account) -> Request:
        return render.render_report(report, to, account)

    def render_signal(self, signal: Signal, account: Account) -> Request:
        """Agents are shown no typing: WhatsApp does not tell of it. Read receipts do not exist here."""
        raise CannotCarry("no_signals", phrase("Genesys takes neither typing nor read marks of a customer"))

    def cause(self, code: str | None) -> Cause:
        return reasons.cause(code)

    def send(
        self, request: Request, account: Account, deadline: float, before_send: Callable[[], None] | None = None
    ) -> Sent:
        return self._client.send(request, carrying(account), deadline, before_send)

    def fetch(self, media: Media, account: Account, deadline: float) -> AbstractContextManager[Download]:
        return self._client.fetch(media, carrying(account), deadline)

    def converts(self, media: Media) -> bool:
        """Genesys takes what its content profile allows, and nothing is converted for it."""
        return False

    def convert(self, file: IO[bytes], media: Media) -> tuple[IO[bytes], Media] | None:
        return None

    def identifies(self, media: Media) -> bool:
        return False

    def identified(self, file: IO[bytes], media: Media) -> Media | None:
        return None

    def upload(self, file: IO[bytes], media: Media, account: Account, deadline: float) -> str:
        """Genesys fetches files itself."""
        raise SendError("refused", "no_uploads", phrase("Genesys takes no uploads"))

    def check(self, account: Account, deadline: float, expected: Expected = NOTHING_EXPECTED) -> list[Finding]:
        return onboarding.check(self._client, carrying(account), deadline, expected)

    def rate_cap(self, account: Account, deadline: float) -> int | None:
        """Genesys counts by client, whatever the integration."""
        return None

    def token(self, account: Account, deadline: float) -> Token:
        return self._client.tokens.held(carrying(account), deadline)

    def login_url(self, account: Account, redirect_uri: str, state: str, challenge: str) -> str:
        return self._client.tokens.login_url(logging_in(account), redirect_uri, state, challenge)

    def login(self, account: Account, code: str, redirect_uri: str, verifier: str, deadline: float) -> Login:
        return self._client.tokens.login(logging_in(account), code, redirect_uri, verifier, deadline)

    def offers(self, account: Account, deadline: float) -> list[Offer]:
        return setup.offers(self._client, account, deadline)

    def connect(self, account: Account, deadline: float, url: str, secret: str) -> None:
        setup.connect(self._client, account, deadline, url, secret)

    def create(self, account: Account, deadline: float, name: str, url: str, secret: str) -> Offer:
        return setup.create(self._client, account, deadline, name, url, secret)


def create(transport: HttpTransport) -> GenesysChannel:
    """The channel, ready to work."""
    return GenesysChannel(transport)
