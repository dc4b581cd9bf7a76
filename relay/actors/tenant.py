"""TenantActor: a tenant's settings and credentials, pause and resume, and the actors of its lines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from db.tenants import credentials, lines
from db.tenants.lines import LineAccounts
from relay.actors.channel import ChannelActor
from relay.actors.media import MediaActor, Turns
from relay.channels.base import Account
from relay.core.conversation.events import FilePrepared
from relay.core.errors import StoreError
from relay.core.languages import Say
from relay.core.messages import ChannelName, Direction
from relay.runtime.actor import RelayActor, Stop, tell
from relay.runtime.commands import (
    SIDE,
    AskTurn,
    CredentialsRefused,
    Prepare,
    PrepareDone,
    PrepareNow,
    Ref,
    ReloadTenant,
    Tick,
)
from relay.runtime.context import Parts
from relay.runtime.side import Side
from relay.stores import catalogues

log = structlog.get_logger(__name__)

MEDIA_WORKERS = 4
RETRY_SECONDS = 1.0


@dataclass(slots=True)
class MediaWorker:
    ref: Ref
    pending: int = 0


@dataclass(slots=True)
class RunningLine:
    """What runs for one line in this daemon."""

    accounts: LineAccounts
    channels: dict[str, Ref]
    sides: Mapping[ChannelName, Account]
    """As they are now; what was handed out stays as it was."""
    media: list[MediaWorker] = field(default_factory=list)
    media_worked_at: dict[Direction, float] = field(default_factory=dict)
    """When a file last went through (time.monotonic)."""

    @property
    def runs(self) -> bool:
        return self.accounts.tenant_status != "paused" and self.accounts.line_status == "active"


class TenantActor(RelayActor):
    def __init__(self, parts: Parts, tenant_id: str) -> None:
        super().__init__()
        self._parts = parts
        self._tenant_id = tenant_id
        self._lines: dict[str, RunningLine] = {}
        self._held: dict[tuple[str, str], AskTurn | Prepare | ReloadTenant | CredentialsRefused] = {}
        self._alarm = False
        self._turns = Turns()

    def handle(self, command: Any) -> None:
        if isinstance(command, AskTurn):
            self._ask(command)
        elif isinstance(command, Prepare):
            self._prepare(command)
        elif isinstance(command, ReloadTenant):
            self._unless_away("reload", command, self._reload)
        elif isinstance(command, PrepareDone):
            self._done(command)
        elif isinstance(command, CredentialsRefused):
            self._unless_away(f"health:{command.line_id}:{command.type}", command, lambda: self._refused(command))
        elif isinstance(command, Tick):
            self._alarm = False
            self._release()
        elif isinstance(command, Stop):
            self._stop_all()
        else:
            super().handle(command)

    def _ask(self, ask: AskTurn) -> None:
        line = self._line(ask.line_id)
        if line is None or not line.runs:
            self._hold((ask.conversation.actor_urn, ask.lane), ask, soon=line is None)
        else:
            tell(line.channels[SIDE[ask.lane]], ask)

    def _prepare(self, prepare: Prepare) -> None:
        line = self._line(prepare.line_id)
        if line is None or not line.runs:
            self._hold((prepare.conversation.actor_urn, prepare.message_id), prepare, soon=line is None)
            return
        worker = self._media_worker(line)
        worker.pending += 1
        tell(worker.ref, PrepareNow(prepare, line.sides))

    def _media_worker(self, line: RunningLine) -> MediaWorker:
        idle = next((worker for worker in line.media if not worker.pending), None)
        if idle is None and len(line.media) < MEDIA_WORKERS:
            idle = MediaWorker(MediaActor.start(self._parts, self.actor_ref, self._turns))
            line.media.append(idle)
        return idle or min(line.media, key=lambda worker: worker.pending)

    def _done(self, done: PrepareDone) -> None:
        """Whoever waits for the file hears of it with what is known of the line's others."""
        job, line, worked_ago = done.job, self._lines.get(done.job.line_id), math.inf
        say: Say = str
        if line is not None:
            say = line.sides["genesys"].say
            for worker in line.media:
                if worker.ref.actor_urn == done.worker.actor_urn:
                    worker.pending = max(0, worker.pending - 1)
            if done.error is None:
                line.media_worked_at[job.direction] = time.monotonic()
            worked_ago = time.monotonic() - line.media_worked_at.get(job.direction, -math.inf)
        told = FilePrepared(job.message_id, job.direction, job.message, done.error, worked_ago, say)
        tell(job.conversation, told)

    # Lines

    def _line(self, line_id: str) -> RunningLine | None:
        """The line's actors, started at first use. None while it cannot be read or does not exist."""
        line = self._lines.get(line_id)
        if line is None or not all(ref.is_alive() for ref in line.channels.values()):
            try:
                accounts = lines.accounts(self._parts.pool, self._parts.cipher, line_id)
            except StoreError as error:
                log.debug("tenant_waits_for_postgresql", tenant_id=self._tenant_id, error=str(error))
                return None
            if accounts is None:
                return None
            line = self._lines[line_id] = self._start(accounts)
        return line

    def _start(self, accounts: LineAccounts) -> RunningLine:
        sides = _sides(accounts)
        channels: dict[str, Ref] = {}
        for name, account in sides.items():
            side = Side(name, self._parts.channels[name], account)
            channels[name] = ChannelActor.start(self._parts, side, self.actor_ref)
        return RunningLine(accounts, channels, sides)

    def _reload(self) -> None:
        for line_id, line in list(self._lines.items()):
            accounts = lines.accounts(self._parts.pool, self._parts.cipher, line_id)
            if accounts is None:
                continue
            line.accounts = accounts
            line.sides = _sides(accounts)
            for name, account in line.sides.items():
                tell(line.channels[name], account)
        self._release()

    def recover(self) -> None:
        self._wake()

    # Waiting while paused, inactive, or without a database

    def _hold(
        self, key: tuple[str, str], command: AskTurn | Prepare | ReloadTenant | CredentialsRefused, *, soon: bool
    ) -> None:
        """Until the tenant is reloaded, or (`soon`) until the database may be back."""
        self._held[key] = command
        if soon:
            self._wake()

    def _unless_away(self, key: str, command: ReloadTenant | CredentialsRefused, do: Callable[[], None]) -> None:
        try:
            do()
        except StoreError as error:
            log.debug("tenant_waits_for_postgresql", tenant_id=self._tenant_id, error=str(error))
            self._hold(("", key), command, soon=True)

    def _wake(self) -> None:
        if not self._alarm:
            self._alarm = True
            self._parts.timers.after(RETRY_SECONDS, self.actor_ref, Tick())

    def _release(self) -> None:
        held, self._held = self._held, {}
        for command in held.values():
            self.handle(command)

    # Health

    def _refused(self, refused: CredentialsRefused) -> None:
        """Three states, and `refused` only on the provider's own word: a timeout is never one."""
        health: credentials.Health = "ok" if refused.reason is None else "refused"
        log.warning("credentials_judged", tenant=self._tenant_id, type=refused.type, health=health, why=refused.reason)
        credentials.set_health(self._parts.changes, self._tenant_id, refused.type, health, refused.reason)

    def _stop_all(self) -> None:
        for line in self._lines.values():
            for ref in line.channels.values():
                tell(ref, Stop())
            for worker in line.media:
                worker.ref.stop(block=False)
        self.stop()


def _sides(accounts: LineAccounts) -> dict[ChannelName, Account]:
    say = partial(catalogues.say, language=accounts.language)

    def account(ref: str, values: dict[str, str]) -> Account:
        return Account(accounts.tenant_id, accounts.line_id, values[ref], values, accounts.settings, say)

    return {
        "whatsapp": account("phone_number_id", accounts.whatsapp),
        "genesys": account("integration_id", accounts.genesys),
    }
