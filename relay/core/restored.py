"""What is known of a message that the lost installation may have carried, after a restore from a backup. Pure.

Between the backup and the loss it went on: what it sent then, no row of the backup tells.
"""

from __future__ import annotations

from typing import Literal

from relay.core.languages import phrase

BeforeLoss = Literal["carried", "unknown"]
CODE = "restored"
"""Reason code of what is not sent, since it may have been."""
UNKNOWN = phrase("the installation was restored from a backup, and nobody knows whether it had been sent before")
CARRIED = phrase(
    "carried before the installation was restored from a backup: Genesys was told that it had been delivered"
)


def before_loss(at: float, delivered: bool, lost_at: float | None) -> BeforeLoss | None:
    """Of an agent's message that has no row here. None: nobody took it, so it is sent.

    `at` is when it was written, `lost_at` when the installation was lost, both in Unix seconds; `delivered`: the
    provider has the relay's own report that it was. Only the relay makes one, whatever the clocks say.
    """
    if lost_at is None:
        return None
    if delivered:
        return "carried"
    return "unknown" if at < lost_at else None
