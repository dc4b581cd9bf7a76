"""Everything the views use, built once per process by web.bootstrap. Found in `app.extensions["relay"]`."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.pool import Pool
from db.sealing import Cipher
from db.tenants.signers import Signers
from relay.broker.dead_letters import DeadLetters
from relay.broker.publisher import Publisher
from relay.channels.base import Channel
from relay.channels.mail import MailServer
from relay.channels.webhooks.client import WebhookClient
from relay.core.explain.reasons import Terms
from relay.core.retention import RetentionTerms
from relay.stores.agent_directory import AgentDirectory
from relay.stores.cache import Cache
from relay.stores.limits import TokenBucket
from relay.stores.objects import ObjectStore
from relay.stores.template_directory import TemplateDirectory
from web.openid.parts import OpenId
from web.request.attendance import Attendance
from web.request.start_up import StartUp
from web.request.throttle import OncePer, RepeatCounter
from web.webhooks.absence import Absence
from web.webhooks.budget import LargeBodies
from web.webhooks.lines import LineDirectory


@dataclass(frozen=True, slots=True)
class WebContext:
    """Clients, and the few values of the settings that views need."""

    pool: Pool
    cipher: Cipher
    cache: Cache
    lines: LineDirectory
    signers: Signers
    publisher: Publisher
    dead_letters: DeadLetters
    bucket: TokenBucket
    objects: ObjectStore
    templates: TemplateDirectory
    agents: AgentDirectory
    webhooks: WebhookClient
    mail: MailServer | None
    channels: dict[str, Channel]
    preparation: StartUp
    absence: Absence
    attendance: Attendance
    shards: int
    public_url: str
    openid: OpenId
    secret_key: str = field(repr=False)
    admin_api_key: str = field(repr=False)
    meta_verify_token: str = field(repr=False, default="")
    meta_app_secrets: tuple[str, ...] = field(repr=False, default=())
    """The current one first; a second one while it is being rotated."""
    cors_origins: tuple[str, ...] = ()
    trusted_proxies: int = 0
    drops: OncePer = field(default_factory=lambda: OncePer(60.0))
    """Webhook items that a signature did not cover are audited once a minute per line."""
    looks: OncePer = field(default_factory=lambda: OncePer(600.0, remembered=10_000))
    """A look at personal data in the portal is audited once per person and conversation in ten minutes."""

    large_bodies: LargeBodies = field(default_factory=LargeBodies)
    """For large webhooks."""

    refusals: RepeatCounter = field(default_factory=lambda: RepeatCounter(600.0, remembered=10_000))
    """Who is refused the same thing again is audited once in ten minutes, with how often it was."""

    retention: RetentionTerms = field(default_factory=RetentionTerms)
    """For how long tenants may keep what."""

    terms: Terms = field(default_factory=Terms)
    """The rates by which it is told why something waits."""

    def close(self) -> None:
        """End all that goes on in the background, for whoever goes on without this application."""
        self.preparation.stop()
        self.absence.stop()
        self.attendance.stop()
        self.publisher.close()
        self.lines.close()
        self.cache.close()
        self.pool.close()

    @property
    def meta_app_secret(self) -> str:
        return self.meta_app_secrets[0] if self.meta_app_secrets else ""
