"""The forms of the lines' pages, and the numbers and integrations that may be chosen for a new one."""

from __future__ import annotations

import time
from typing import Any, Self

import gevent
from flask_wtf import FlaskForm
from wtforms import FloatField, IntegerField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional

from db.onboarding import Line
from relay.channels.base import Account, Channel, Offer
from relay.checks import SIDES, Side
from relay.core.errors import SendError
from web.api.schemas import ProviderId, Secret
from web.context import parts
from web.portal.setup_forms import Like, stripped
from web.portal.setup_state import read

SECONDS = 6.0
LATE = "did not answer in time"


class LineForm(FlaskForm):
    """Beside the fields the page lists what the accounts have, where they were asked; any other id is taken too."""

    phone_number_id = StringField(
        "Phone number ID",
        [DataRequired("Which number?"), Like(ProviderId)],
        [stripped],
        "Of the same WhatsApp Business Account as your other numbers. Not the number itself: its ID at Meta.",
    )
    integration_id = StringField(
        "Integration ID",
        [DataRequired("Which integration?"), Like(ProviderId)],
        [stripped],
        "The Open Messaging integration at Genesys. Each line needs one of its own.",
    )
    webhook_secret = PasswordField(
        "Webhook secret (optional)",
        [Optional(), Like(Secret), Length(min=16, message="Genesys takes 16 characters or more.")],
        [stripped],
        "Only if this integration signs with another secret than your first one.",
    )


class SettingsForm(FlaskForm):
    """Empty fields leave a line as the platform is."""

    whatsapp_rate_per_second = IntegerField(
        "Messages to WhatsApp a second",
        [Optional(), NumberRange(1, 1000)],
        description="Meta allows a new number 80 a second, and more once it has raised it. Empty: as the platform.",
    )
    genesys_rate_per_minute = IntegerField(
        "Messages to Genesys a minute",
        [Optional(), NumberRange(1, 100_000)],
        description="Genesys allows an OAuth client 300 calls a minute, unless it has raised that for you. "
        "Empty: as the platform.",
    )
    unknown_outcome = SelectField(
        "When nobody knows whether a message was sent",
        [Optional()],
        choices=[
            ("", "As the platform: send it again"),
            ("repeat", "Send it again: it may arrive twice, it never gets lost"),
            ("give_up", "Give it up: it may be lost, it never arrives twice"),
        ],
        description="A provider's answer can get lost. When the message leaves no trace in time, this decides.",
    )
    handset_order_seconds = FloatField(
        "Wait for the phone to show a message (seconds)",
        [Optional(), NumberRange(0, 30)],
        description="The next message waits until WhatsApp confirms the one before it, at most so long. 0 or empty: no "
        "waiting. Messages are sent in order in any case; a phone may show them otherwise.",
    )

    @classmethod
    def of(cls, line: Line) -> Self:
        return cls(None, data=line.settings)

    def settings(self) -> dict[str, Any]:
        names = ("whatsapp_rate_per_second", "genesys_rate_per_minute", "unknown_outcome", "handset_order_seconds")
        return {name: self[name].data if self[name].data not in ("", None) else None for name in names}


def offered() -> dict[Side, list[Offer] | str]:
    """What the stored accounts have, both asked at once; or why one could not say."""
    held = read()
    deadline = time.monotonic() + SECONDS

    accounts = {side: (parts().channels[side], held.account(side)) for side in SIDES}
    running = {side: gevent.spawn(_offers, *accounts[side], deadline) for side in SIDES}
    gevent.joinall(list(running.values()), timeout=SECONDS + 1)
    # Who is late ends at its own deadline: killed inside a database call, a renewed token could be lost.
    return {side: one.value if isinstance(one.value, (list, str)) else LATE for side, one in running.items()}


def _offers(channel: Channel, account: Account, deadline: float) -> list[Offer] | str:
    try:
        return channel.offers(account, deadline)
    except SendError as error:
        return error.text
