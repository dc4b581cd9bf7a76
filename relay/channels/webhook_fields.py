"""The kinds of webhooks that a provider sends, and which of them an app gets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebhookField:
    """One kind of webhook. `use`: traffic, health, portal, optional, or other: not known here, and left alone."""

    name: str
    use: str
    purpose: str
    subscribed: bool


@dataclass(frozen=True, slots=True)
class SubscribedFields:
    """The kinds of webhooks that an app at the provider gets, at `callback_url` ("": none)."""

    app_id: str
    callback_url: str
    fields: tuple[WebhookField, ...]

    @property
    def complete(self) -> bool:
        return all(field.subscribed for field in self.fields)
