"""Secrets and signatures of the webhooks that the relay sends."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

PREFIX = "whsec_"
_BYTES = 32
"""The specification asks for 24 to 64."""


def new_secret() -> str:
    """A secret as its receiver enters it: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode("ascii")


def signed(webhook_id: str, at: float, body: bytes, held: Sequence[str]) -> dict[str, str]:
    """The headers that go with `body`. `held`: all secrets that are valid now, the newest first.

    `webhook_id` is the same however often it is sent, so that a receiver knows a repeat. `at`: when it is sent, in
    seconds since 1970, since receivers take nothing that is older than minutes. With each secret it is signed once,
    so that receivers change theirs when they like.
    """
    moment = datetime.fromtimestamp(int(at), UTC)
    text = body.decode("utf-8")
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, moment, text) for secret in held),
    }
