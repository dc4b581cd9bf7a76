"""Settings become clients: what web, the daemon and the commands all talk to the outside with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from conf.checks import OPERATOR
from conf.logging import report_to
from conf.settings import Settings
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials
from db.tenants.changes import Changes
from relay.channels import NAMES, load
from relay.channels.base import Channel, Logins
from relay.channels.http.client import HttpTransport
from relay.channels.mail import MailServer
from relay.channels.webhooks.client import WebhookClient
from relay.checks.line_checks import OwnInstallation
from relay.core.retention import RetentionTerms
from relay.observing import tracing
from relay.stores import keys
from relay.stores.cache import Cache
from relay.stores.objects import ObjectStore


def build_cipher(settings: Settings) -> Cipher:
    return Cipher(key.get_secret_value() for key in settings.credentials_keys)


def build_objects(settings: Settings) -> ObjectStore:
    return ObjectStore(
        settings.minio_endpoint,
        settings.minio_access_key,
        settings.minio_secret_key.get_secret_value(),
        settings.minio_secure,
        settings.minio_public_url,
        settings.authorities,
    )


def build_channels(settings: Settings, cache: Cache, changes: Changes) -> dict[str, Channel]:
    """`changes`: where the refresh tokens of logins are kept for good."""
    cipher = build_cipher(settings)
    logins = Logins(
        newest=lambda tenant_id: _refresh_token(changes.pool, cipher, tenant_id),
        renew=partial(credentials.renew_refresh_token, changes, cipher),
    )
    transport = HttpTransport(
        cache,
        settings.meta_graph_url,
        settings.meta_graph_version,
        settings.genesys_login_url,
        settings.genesys_api_url,
        logins=logins,
    )
    return {name: load(name, transport) for name in NAMES}


def build_webhooks(settings: Settings, cache: Cache) -> WebhookClient:
    """What sends the relay's own webhooks, to addresses that tenants and the operator give."""
    inside: dict[str, list[str]] = {}
    for owner, _, origin in (one.partition("=") for one in settings.endpoint_private_origins):
        inside.setdefault("" if owner == OPERATOR else owner, []).append(origin)
    return WebhookClient(cache, inside)


def build_mail(settings: Settings) -> MailServer | None:
    """None: nobody is told by e-mail."""
    if settings.smtp_url is None:
        return None
    return MailServer(settings.smtp_url, settings.mail_from, settings.authorities)


def observe(settings: Settings, service: str) -> Callable[[], None]:
    """Begin traces and reports of errors, where they are asked for: in each process, and after its fork.

    Answers with what ends them. What is not asked for is not imported either.
    """
    ends: list[Callable[[], None]] = []
    if settings.sentry_dsn is not None:
        from relay.observing.errors import ErrorReports

        reports = ErrorReports(settings.sentry_dsn.get_secret_value(), service, settings.authorities)
        report_to(reports.report)
        ends += [lambda: report_to(None), reports.stop]
    if settings.tracing_url is not None:
        from relay.observing.spans import Spans

        spans = Spans(settings.tracing_url, settings.tracing_share, service, settings.authorities)
        spans.start()
        tracing.write_to(spans)
        ends += [lambda: tracing.write_to(None), spans.stop]

    def end() -> None:
        for one in ends:
            one()

    return end


def _refresh_token(pool: Pool, cipher: Cipher, tenant_id: str) -> str | None:
    held = credentials.opened(pool, cipher, tenant_id, "genesys")
    return held.values.get("refresh_token") if held else None


def build_changes(pool: Pool, cache: Cache) -> Changes:
    return Changes(pool, lambda refs: cache.forget(keys.route(kind, value) for kind, value in refs))


def build_ours(settings: Settings) -> OwnInstallation:
    """What the checks of a line have to know of this installation."""
    return OwnInstallation(settings.public_url, rotating(settings.meta_app_secret.get_secret_value()))


def build_retention(settings: Settings) -> RetentionTerms:
    """Raises RetentionError."""
    return RetentionTerms.of(_days(settings.retention_days), _days(settings.retention_most_days))


def _days(given: Iterable[str]) -> dict[str, int]:
    return {kind: int(days) for kind, _, days in (one.partition(":") for one in given)}


def rotating(secrets: str) -> tuple[str, ...]:
    """While META_APP_SECRET changes at Meta it may hold two, comma-separated, the current one first."""
    return tuple(secret.strip() for secret in secrets.split(",") if secret.strip())
