"""WhatsApp Business Cloud API. Deleting this folder and its name in channels/__init__ removes it."""

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
from relay.channels.http.client import HttpTransport
from relay.channels.raw_update import RawUpdate
from relay.channels.whatsapp import limits, webhook
from relay.channels.whatsapp.account import coexistence, onboarding, setup
from relay.channels.whatsapp.account.app_fields import AppFields
from relay.channels.whatsapp.account.catalogue import WhatsAppCatalogue
from relay.channels.whatsapp.account.charges import AccountCharges
from relay.channels.whatsapp.account.token import CheckedTokens
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import cause
from relay.channels.whatsapp.inbound.parse import parse
from relay.channels.whatsapp.outbound import pictures, recordings, stickers
from relay.channels.whatsapp.outbound.fitting import fit
from relay.channels.whatsapp.outbound.render import render
from relay.channels.whatsapp.outbound.signals import render_signal
from relay.core.errors import CannotCarry, SendError
from relay.core.explain.causes import Cause
from relay.core.languages import phrase
from relay.core.messages import Event, Media, Message, Recipient, Report, Signal
from relay.core.templates.listed import ListedTemplate


class WhatsAppChannel:
    """The contract of base.Channel; the work is done in the modules beside this one."""

    name = "whatsapp"
    uploads_media = True
    logs_in = False
    empty_body = webhook.EMPTY_BODY
    proofs = onboarding.PROOFS
    history = None
    ends = None

    def __init__(self, transport: HttpTransport) -> None:
        self._client = WhatsAppClient(transport)
        self.catalogue = WhatsAppCatalogue(self._client)
        self.billing = AccountCharges(self._client)
        self.fields = AppFields(self._client)
        self._tokens = CheckedTokens(self._client, transport.tokens)
        self.stand_in = any(origin.scheme == "http" for origin in transport.graph_origins)

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
        return fit(message)

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
        return render(message, message_id, to, account, media_url, languages)

    def render_report(self, report: Report, to: Recipient, account: Account) -> Request:
        """WhatsApp is told nothing about what Genesys did with a customer's message."""
        raise CannotCarry("no_reports", phrase("WhatsApp takes no receipts"))

    def render_signal(self, signal: Signal, account: Account) -> Request:
        return render_signal(signal, account)

    def cause(self, code: str | None) -> Cause:
        return cause(code)

    def send(
        self, request: Request, account: Account, deadline: float, before_send: Callable[[], None] | None = None
    ) -> Sent:
        return self._client.send(request, account, deadline, before_send)

    def fetch(self, media: Media, account: Account, deadline: float) -> AbstractContextManager[Download]:
        return self._client.fetch(media, account, deadline)

    def converts(self, media: Media) -> bool:
        return pictures.converts(media)

    def convert(self, file: IO[bytes], media: Media) -> tuple[IO[bytes], Media] | None:
        return pictures.convert(file, media)

    def identifies(self, media: Media) -> bool:
        return recordings.holds_recording(media) or stickers.is_doubtful(media)

    def identified(self, file: IO[bytes], media: Media) -> Media | None:
        return stickers.identified(file, media) if media.kind == "sticker" else recordings.identified(file, media)

    def upload(self, file: IO[bytes], media: Media, account: Account, deadline: float) -> str:
        return self._client.upload(file, media, account, deadline)

    def check(self, account: Account, deadline: float, expected: Expected = NOTHING_EXPECTED) -> list[Finding]:
        return onboarding.check(self._client, account, deadline, expected)

    def rate_cap(self, account: Account, deadline: float) -> int | None:
        return coexistence.rate_cap(self._client, account, deadline)

    def token(self, account: Account, deadline: float) -> Token:
        return self._tokens.get(account, deadline)

    def login_url(self, account: Account, redirect_uri: str, state: str, challenge: str) -> str:
        raise _no_login()

    def login(self, account: Account, code: str, redirect_uri: str, verifier: str, deadline: float) -> Login:
        raise _no_login()

    def offers(self, account: Account, deadline: float) -> list[Offer]:
        return setup.offers(self._client, account, deadline)

    def connect(self, account: Account, deadline: float, url: str, secret: str) -> None:
        setup.connect(self._client, account, deadline, url, secret)

    def create(self, account: Account, deadline: float, name: str, url: str, secret: str) -> Offer:
        """Meta wants the number's owner to confirm it."""
        raise SendError("refused", "not_offered", phrase("numbers are added in Meta's WhatsApp Manager"))


def _no_login() -> SendError:
    return SendError("refused", "no_login", phrase("WhatsApp is connected with an access token"))


def create(transport: HttpTransport) -> WhatsAppChannel:
    """The channel, ready to work."""
    return WhatsAppChannel(transport)
