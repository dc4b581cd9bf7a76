"""What an address is sent before anything else: the question whether it wants e-mail of the relay at all."""

from __future__ import annotations

from urllib.parse import urlsplit

from relay.core.conditions.digest import Digest
from relay.core.languages import Say, phrase

CONFIRM_HOURS = 72
"""How long the link is good."""


def must_confirm(tenant_id: str | None, *, confirmed: bool) -> bool:
    """Before anything else is sent. Operators are named by whoever runs the installation; a tenant's people by it."""
    return tenant_id is not None and not confirmed


def question(public_url: str, confirm_url: str, leave_url: str, *, say: Say = str) -> Digest:
    """Holds nothing that a tenant wrote: whoever enters a stranger's address may not say anything to them by it.

    `say` says a phrase in the reader's language.
    """
    host = urlsplit(public_url).hostname or ""
    blocks = (
        phrase(
            "Somebody made an account with this address at %(host)s, the relay between WhatsApp and Genesys Cloud. It "
            "would be told by e-mail when something is wrong with the lines of its organisation.",
            host=host,
        ),
        phrase(
            "Is the account yours? Then open this page within %(hours)s hours, and press its button: %(page)s",
            hours=CONFIRM_HOURS,
            page=confirm_url,
        ),
        phrase("If not, do nothing: nothing more is sent to an address that was not confirmed."),
        phrase("No such e-mail at all: %(page)s", page=leave_url),
    )
    text = "\n\n".join(say(one) for one in blocks)
    return Digest(say(phrase("Relay: is this your address?")), text + "\n")
