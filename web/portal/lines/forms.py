"""The forms of the lines' pages, and the numbers and integrations that may be chosen for a new one."""

from __future__ import annotations

import time

import gevent
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, Length, Optional

from relay.channels.base import Account, Channel, Offer
from relay.checks.line_checks import SIDES, Side
from relay.core.errors import SendError
from web.api.tenants.schemas import ProviderId, Secret
from web.portal.frame.language import _l
from web.portal.wizard.forms import AcceptedBy, stripped
from web.portal.wizard.state import read
from web.request.context import web_context

SECONDS = 6.0
LATE = "did not answer in time"


class LineForm(FlaskForm):
    """Beside the fields the page lists what the accounts have, where they were asked; any other id is taken too."""

    phone_number_id = StringField(
        _l("Phone number ID"),
        [DataRequired(_l("Which number?")), AcceptedBy(ProviderId)],
        [stripped],
        _l("Of the same WhatsApp Business Account as your other numbers. Not the number itself: its ID at Meta."),
    )
    integration_id = StringField(
        _l("Integration ID"),
        [DataRequired(_l("Which integration?")), AcceptedBy(ProviderId)],
        [stripped],
        _l("The Open Messaging integration at Genesys. Each line needs one of its own."),
    )
    webhook_secret = PasswordField(
        _l("Webhook secret (optional)"),
        [Optional(), AcceptedBy(Secret), Length(min=16, message=_l("Genesys takes 16 characters or more."))],
        [stripped],
        _l("Only if this integration signs with another secret than your first one."),
    )


def offered() -> dict[Side, list[Offer] | str]:
    """What the stored accounts have, both asked at once; or why one could not say."""
    held = read()
    deadline = time.monotonic() + SECONDS

    accounts = {side: (web_context().channels[side], held.account(side)) for side in SIDES}
    running = {side: gevent.spawn(_offers, *accounts[side], deadline) for side in SIDES}
    gevent.joinall(list(running.values()), timeout=SECONDS + 1)
    # Who is late ends at its own deadline: killed inside a database call, a renewed token could be lost.
    return {side: one.value if isinstance(one.value, (list, str)) else LATE for side, one in running.items()}


def _offers(channel: Channel, account: Account, deadline: float) -> list[Offer] | str:
    try:
        return channel.offers(account, deadline)
    except SendError as error:
        return error.text
