"""WhatsApp Business Cloud API. Deleting this folder and its name in channels/__init__ removes it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO, Any

from relay.channels.base import Account, Download, Finding, Part, Request, Sent
from relay.channels.http import HttpTransport
from relay.channels.whatsapp import limits, onboarding, webhook
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.parse import parse
from relay.channels.whatsapp.render import render
from relay.core.errors import CannotCarry
from relay.core.messages import Event, Media, Message, Recipient, Report


class WhatsAppChannel:
    """The contract of base.Channel; the work is done in the modules beside this one."""

    name = "whatsapp"
    uploads_media = True

    def __init__(self, transport: HttpTransport) -> None:
        self._client = WhatsAppClient(transport)

    def verify(self, secret: str, raw: bytes, signature: str | None) -> bool:
        return webhook.verify(secret, raw, signature)

    def split(self, body: Any) -> list[Part]:
        return webhook.split(body)

    def keep(self, body: Any, line_refs: set[str]) -> Any:
        return webhook.keep(body, line_refs)

    def parse(self, payload: dict[str, Any]) -> list[Event]:
        return parse(payload)

    def fit(self, message: Message) -> list[Message]:
        return limits.fit(message)

    def fit_media(self, media: Media) -> Media:
        return limits.fit_media(media)

    def render(
        self, message: Message, message_id: str, to: Recipient, account: Account, media_url: str | None
    ) -> Request:
        return render(message, message_id, to, account, media_url)

    def render_report(self, report: Report, to: Recipient, account: Account) -> Request:
        """WhatsApp is told nothing about what Genesys did with a customer's message."""
        raise CannotCarry("no_reports", "WhatsApp takes no receipts")

    def send(
        self, request: Request, account: Account, deadline: float, before_send: Callable[[], None] | None = None
    ) -> Sent:
        return self._client.send(request, account, deadline, before_send)

    def fetch(self, media: Media, account: Account, deadline: float) -> AbstractContextManager[Download]:
        return self._client.fetch(media, account, deadline)

    def upload(self, file: IO[bytes], media: Media, account: Account, deadline: float) -> str:
        return self._client.upload(file, media, account, deadline)

    def check(self, account: Account, deadline: float) -> list[Finding]:
        return onboarding.check(self._client, account, deadline)


def create(transport: HttpTransport) -> WhatsAppChannel:
    """The channel, ready to work."""
    return WhatsAppChannel(transport)
