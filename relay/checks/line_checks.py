"""Is a line what its tenant says, on both sides and on ours? Asked by web before a line goes live and at
any time after, by the daemons and by `relay doctor`. Bounded in time; whoever does not answer is a warning, never
a no and never a yes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import structlog
from gevent.pool import Pool as Greenlets

from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials, event_listeners, lines, onboarding, registry
from db.tenants.credentials import Secrets
from db.tenants.event_listeners import ListenerStanding
from db.tenants.lines import LineAccounts
from relay.channels.base import Account, Channel, Expected, Finding, Level
from relay.checks import own_side
from relay.checks.round_trip import RoundTrip
from relay.core.errors import FINAL, SendError
from relay.core.languages import phrase

log = structlog.get_logger(__name__)

SECONDS = 10.0
AT_ONCE = 8
Side = Literal["whatsapp", "genesys"]
CheckedSide = Literal["whatsapp", "genesys", "relay"]
SIDES: tuple[Side, Side] = ("whatsapp", "genesys")
REF = {"whatsapp": "phone_number_id", "genesys": "integration_id"}
LATE = Finding(
    "answer", "warning", phrase("did not answer in time; nothing could be checked"), phrase("Check again in a minute.")
)
ENTER = phrase("Enter them first; the portal's set-up pages and the API's PUT .../credentials take them.")


@dataclass(frozen=True, slots=True)
class OwnInstallation:
    """This installation, as far as a line depends on it."""

    public_url: str
    meta_app_secrets: tuple[str, ...] = field(default=(), repr=False)

    def is_own_app(self, own_secret: str) -> bool:
        """Whether a tenant's app secret means a Meta app of its own, and not the platform's."""
        return bool(own_secret) and own_secret not in self.meta_app_secrets

    def meta_url(self, tenant_key: str, own_secret: str) -> str:
        """A tenant with a Meta app of its own gets an address of its own."""
        return f"{self.public_url}/webhook/meta" + (f"/{tenant_key}" if self.is_own_app(own_secret) else "")

    def genesys_url(self, line_key: str) -> str:
        return f"{self.public_url}/webhook/genesys/{line_key}"

    def app_secret(self, own_secret: str) -> str:
        """What Meta's webhooks of a tenant are proved with."""
        return own_secret or (self.meta_app_secrets[0] if self.meta_app_secrets else "")


@dataclass(frozen=True, slots=True)
class Subject:
    """A line to be looked at, stored or typed. A side without credentials is None.

    `whatsapp` holds the app secret that counts, be it the tenant's or the platform's.
    """

    tenant_id: str
    line_id: str
    active: bool
    whatsapp: Account | None
    genesys: Account | None
    meta_url: str = field(repr=False)
    genesys_url: str = field(repr=False)
    listening: ListenerStanding | None = None
    """Of a line that wants to hear of ends at Genesys."""

    def side(self, side: Side) -> Account | None:
        return self.whatsapp if side == "whatsapp" else self.genesys


@dataclass(frozen=True, slots=True)
class SideFindings:
    """What one side of one line was found to be."""

    line_id: str
    side: CheckedSide
    findings: tuple[Finding, ...]

    @property
    def refused(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "refused"]


def subjects(
    pool: Pool, cipher: Cipher, ours: OwnInstallation, tenant_id: str, line_ids: Collection[str] | None = None
) -> list[Subject]:
    """A tenant's lines but released ones, or those named, ready to be checked. Raises DatabaseError."""
    tenant = registry.get(pool, tenant_id)
    if tenant is None:
        return []
    whatsapp, genesys = (credentials.opened(pool, cipher, tenant.id, side) for side in SIDES)
    secret, listening = _own_secret(whatsapp), event_listeners.standing(pool, tenant.id)
    found = []
    for line in onboarding.listed(pool, tenant.id):
        if line.status == "released" or (line_ids is not None and line.id not in line_ids):
            continue
        accounts = lines.accounts(pool, cipher, line.id)
        if accounts is None:  # removed while we looked
            continue
        number = account_of(accounts, "whatsapp", ours.app_secret(secret)) if whatsapp else None
        integration = account_of(accounts, "genesys") if genesys else None
        urls = ours.meta_url(tenant.webhook_key, secret), ours.genesys_url(line.webhook_key)
        heard = listening if accounts.settings.get("end_listening") else None
        found.append(Subject(tenant.id, line.id, line.status == "active", number, integration, *urls, heard))
    return found


def _own_secret(held: Secrets | None) -> str:
    return held.signing[0] if held and held.signing else ""


def account_of(line: LineAccounts, side: Side, app_secret: str = "") -> Account:
    held = line.whatsapp if side == "whatsapp" else line.genesys
    account = Account(line.tenant_id, line.line_id, held[REF[side]], held, line.settings)
    return replace(account, credentials={**held, "app_secret": app_secret}) if app_secret else account


def check_side(channel: Channel, account: Account, expected: Expected, seconds: float = SECONDS) -> SideFindings:
    """One side alone, also with values that are typed and not stored yet."""
    side: Side = "whatsapp" if channel.name == "whatsapp" else "genesys"
    deadline = time.monotonic() + seconds
    [findings] = _together([partial(_ask, channel, account, deadline, expected)], seconds)
    return SideFindings(account.line_id, side, findings)


def check_sides(
    channels: Mapping[str, Channel],
    asked: Iterable[Subject],
    ours: OwnInstallation,
    seconds: float = SECONDS,
    *,
    thorough: bool = False,
) -> list[SideFindings]:
    """Both providers about every line, side by side; our own side is left out."""
    return check_parts(channels, [(one, side) for one in asked for side in SIDES], ours, seconds, thorough=thorough)


def check_lines(
    channels: Mapping[str, Channel], asked: Iterable[Subject], ours: OwnInstallation, seconds: float = SECONDS
) -> list[SideFindings]:
    """Both providers and our own side, thoroughly, in the order of the lines."""
    parts: tuple[CheckedSide, ...] = (*SIDES, "relay")
    return check_parts(channels, [(one, part) for one in asked for part in parts], ours, seconds, thorough=True)


def check_line(
    channels: Mapping[str, Channel], subject: Subject, ours: OwnInstallation, seconds: float = SECONDS
) -> list[SideFindings]:
    """The same for one line."""
    return check_lines(channels, [subject], ours, seconds)


def check_relay(
    channels: Mapping[str, Channel], subject: Subject, ours: OwnInstallation, deadline: float
) -> tuple[Finding, ...]:
    """Our own side: secrets, address, and a signature that goes out and comes in again."""
    app_secret = subject.whatsapp.credentials.get("app_secret", "") if subject.whatsapp else ""
    webhook_secret = subject.genesys.credentials.get("webhook_secret", "") if subject.genesys else ""
    rehearsing = all(channels[side].stand_in for side in SIDES)
    findings = [*own_side.secrets(app_secret, webhook_secret), own_side.public_url(ours.public_url, rehearsing)]
    if subject.listening is not None:
        findings.append(own_side.listening(subject.listening))
    if app_secret:
        findings.append(RoundTrip(channels["whatsapp"], subject.meta_url, deadline).finding(app_secret))
    if webhook_secret and subject.active:  # before that its address does not exist
        findings.append(RoundTrip(channels["genesys"], subject.genesys_url, deadline).finding(webhook_secret))
    return tuple(findings)


def expected_of(subject: Subject, ours: OwnInstallation, side: Side, *, thorough: bool) -> Expected:
    """The address of its own first; the one that all share reaches us as well."""
    own = subject.meta_url if side == "whatsapp" else subject.genesys_url
    shared = f"{ours.public_url}/webhook/{'meta' if side == 'whatsapp' else 'genesys'}"
    return Expected(tuple(dict.fromkeys((own, shared))), thorough)


def check_parts(
    channels: Mapping[str, Channel],
    asked: Sequence[tuple[Subject, CheckedSide]],
    ours: OwnInstallation,
    seconds: float = SECONDS,
    *,
    thorough: bool = False,
) -> list[SideFindings]:
    """These parts of lines, side by side; the results in the same order."""
    deadline = time.monotonic() + seconds

    def work(subject: Subject, part: CheckedSide) -> tuple[Finding, ...]:
        if part == "relay":
            return check_relay(channels, subject, ours, deadline)
        account = subject.side(part)
        if account is None:
            return (
                Finding("credentials", "warning", phrase("there are no %(side)s credentials yet", side=part), ENTER),
            )
        return _ask(channels[part], account, deadline, expected_of(subject, ours, part, thorough=thorough))

    found = _together([partial(work, *one) for one in asked], seconds)
    return [SideFindings(subject.line_id, part, one) for (subject, part), one in zip(asked, found, strict=True)]


def _together(work: Sequence[Callable[[], tuple[Finding, ...]]], seconds: float) -> list[tuple[Finding, ...]]:
    """All at once, some at a time. The providers' own deadline comes first; this is for what ignores it.

    Who is late is left to end by itself: killed inside a database call, a renewed token could be lost.
    """
    greenlets = Greenlets(AT_ONCE)
    running = [greenlets.spawn(_guarded, one) for one in work]
    greenlets.join(timeout=seconds + 1)
    return [one.value if isinstance(one.value, tuple) else (LATE,) for one in running]


def _guarded(work: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    try:
        return work()
    except Exception:
        # A fault of ours in an optional look-up must not take a line down; nor does it prove anything.
        log.exception("a check failed")
        text = phrase("could not be checked: an error of the relay itself")
        return (Finding("call", "warning", text, phrase("The operator finds it in the relay's log.")),)


def _ask(channel: Channel, account: Account, deadline: float, expected: Expected) -> tuple[Finding, ...]:
    try:
        return tuple(channel.check(account, deadline, expected))
    except SendError as error:
        level: Level = "refused" if error.fate in ("credentials", *FINAL) else "warning"
        return (Finding("call", level, error.text, phrase("Check what was entered, and try again.")),)
