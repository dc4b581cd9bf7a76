"""Asking both providers whether a line is what its tenant says, before it goes live. Bounded in time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from gevent.pool import Pool as Greenlets

from db.lines import LineAccounts
from relay.channels.base import Account, Channel, Finding
from relay.core.errors import SendError

log = structlog.get_logger(__name__)

SECONDS = 10.0
AT_ONCE = 8
Side = Literal["whatsapp", "genesys"]
SIDES: tuple[Side, Side] = ("whatsapp", "genesys")
REF = {"whatsapp": "phone_number_id", "genesys": "integration_id"}


@dataclass(frozen=True, slots=True)
class Checked:
    """What one side of one line was found to be."""

    line_id: str
    side: Side
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "refused"]


def check(channels: Mapping[str, Channel], lines: Iterable[LineAccounts], seconds: float = SECONDS) -> list[Checked]:
    """Both sides of every line, side by side. Whoever does not answer in time is a warning, never a no."""
    deadline = time.monotonic() + seconds
    asked = [(line, side) for line in lines for side in SIDES]
    greenlets = Greenlets(AT_ONCE)
    running = [greenlets.spawn(_ask, channels[side], account_of(line, side), deadline) for line, side in asked]
    greenlets.join(timeout=seconds + 1)
    greenlets.kill(timeout=1)
    late = (Finding("answer", "warning", "did not answer in time; nothing could be checked"),)
    return [
        Checked(line.line_id, side, one.value if isinstance(one.value, tuple) else late)
        for (line, side), one in zip(asked, running, strict=True)
    ]


def account_of(line: LineAccounts, side: Side) -> Account:
    credentials = line.whatsapp if side == "whatsapp" else line.genesys
    return Account(line.tenant_id, line.line_id, credentials[REF[side]], credentials, line.settings)


def _ask(channel: Channel, account: Account, deadline: float) -> tuple[Finding, ...]:
    try:
        return tuple(channel.check(account, deadline))
    except SendError as error:
        level = "refused" if error.fate in ("credentials", "refused") else "warning"
        return (Finding("call", level, error.text),)
    except Exception:
        # A fault of ours in an optional look-up must not keep a number from going live.
        log.exception("onboarding check failed", line_id=account.line_id, side=channel.name)
        return (Finding("call", "warning", "could not be checked: an error of the relay itself, see its log"),)
