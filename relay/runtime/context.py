"""What the actors are given by the composition root, and where they find each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pykka
from gevent.event import Event

from db.conditions.mail_links import MailLinks
from db.contacts.tombstones import Tombstones
from db.daemons.lease import SILENT_SECONDS
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.changes import Changes
from db.tenants.signers import Signers
from relay.broker.consumer import Consumer
from relay.broker.dead_letters import DeadLetters
from relay.broker.publisher import Publisher
from relay.channels.base import Channel
from relay.channels.mail import MailServer
from relay.channels.webhooks.client import WebhookClient
from relay.checks.certificate_ends import TlsServer
from relay.checks.line_checks import OwnInstallation
from relay.core.conversation.hold import Pace
from relay.core.errors import SendError
from relay.core.languages import phrase
from relay.core.retention import RetentionTerms
from relay.runtime.rows import RowsReader
from relay.runtime.timers import Timers
from relay.runtime.unwritten import Unwritten
from relay.stores.agent_directory import AgentDirectory
from relay.stores.cache import Cache
from relay.stores.limits import TokenBucket
from relay.stores.objects import ObjectStore
from relay.stores.template_directory import TemplateDirectory

Ref = pykka.ActorRef[Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that actors need; seconds unless said otherwise."""

    shards: int
    reorder_window: float
    unknown_outcome: float
    genesys_per_minute: float
    whatsapp_per_second: float
    media_url_inbound: int
    media_url_outbound: int
    backlog_minutes: int = 10
    request: float = 10.0
    lease: float = 15.0
    alone: bool = False
    """No other daemon may be beside this one."""
    retention: RetentionTerms = field(default_factory=RetentionTerms)
    measures: float = 60.0
    """Between two readings of the figures of the whole installation."""
    measures_by_line: bool = False


@dataclass(slots=True)
class Lease:
    """This daemon's right to send. Times are time.monotonic, measured before the renewal was asked for."""

    daemon_id: str
    until: float = 0.0
    renewed: float = inf
    """From SILENT_SECONDS after that others may have found this daemon dead, and have begun its calls anew."""

    def check(self) -> None:
        """The last look before a request's first byte. Raises SendError (nothing was sent)."""
        if time.monotonic() >= min(self.until, self.renewed + SILENT_SECONDS):
            raise SendError("retry", "lease_lost", phrase("this daemon's lease ran out before the request was written"))


@dataclass(slots=True)
class Parts:
    """Everything that is made once per daemon. `journal`, `intake` and the dicts are filled by the supervisor."""

    limits: Limits
    lease: Lease
    pool: Pool
    cipher: Cipher
    changes: Changes
    channels: dict[str, Channel]
    ours: OwnInstallation
    objects: ObjectStore
    bucket: TokenBucket
    consumer: Consumer
    publisher: Publisher
    timers: Timers
    rows: RowsReader
    templates: TemplateDirectory
    cache: Cache
    dead_letters: DeadLetters
    tombstones: Tombstones
    webhooks: WebhookClient
    agents: AgentDirectory
    mail: MailServer | None
    signers: Signers
    mail_links: MailLinks
    tls_servers: Sequence[TlsServer] = ()
    """Whose certificates are looked at."""
    journal: Ref | None = None
    intake: Ref | None = None
    shards: dict[int, Ref] = field(default_factory=dict)
    tenants: dict[str, Ref] = field(default_factory=dict)
    start_tenant: Callable[[str], Ref] | None = None
    journal_behind: bool = False
    """PostgreSQL has not taken what the journal was told, so rows may not say yet how their calls ended."""
    unwritten: Unwritten = field(default_factory=Unwritten)
    """What only single rows keep the journal from writing."""
    pace: Pace = field(default_factory=Pace)
    stopping: bool = False
    """No call is begun any more: claims that were asked for are refused."""
    calls_under_way: int = 0
    """From the moment a claim is asked for: once it is written, its call is to end in order, too."""
    call_ended: Event = field(default_factory=Event)

    def tenant(self, tenant_id: str) -> Ref:
        """The tenant's actor, started if it is not there or has died."""
        ref = self.tenants.get(tenant_id)
        if ref is None or not ref.is_alive():
            if self.start_tenant is None:
                raise RuntimeError("the supervisor has not started")
            ref = self.tenants[tenant_id] = self.start_tenant(tenant_id)
        return ref

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around every provider call, so that a stopping daemon can wait for the last one."""
        self.call_begins()
        try:
            yield
        finally:
            self.call_ends()

    def call_begins(self) -> None:
        self.calls_under_way += 1

    def call_ends(self) -> None:
        self.calls_under_way -= 1
        self.call_ended.set()
