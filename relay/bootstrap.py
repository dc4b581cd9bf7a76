"""The composition root: the only place where settings become clients, and clients become processes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from conf.settings import Settings
from db import credentials
from db.changes import Changes
from db.migrate import check_shards
from db.pool import Pool
from db.reasons import Terms
from db.sealing import Cipher
from db.signers import Signers
from relay.actors.parts import Lease, Limits, Parts
from relay.actors.timers import Timers
from relay.broker import topology
from relay.broker.consumer import Consumer
from relay.broker.dead_letters import DeadLetters
from relay.broker.publisher import Publisher
from relay.channels import NAMES, load
from relay.channels.base import Channel, Logins
from relay.channels.http import HttpTransport
from relay.checks import Ours
from relay.core.limits import Rates
from relay.service import Service
from relay.stores import keys
from relay.stores.cache import Cache
from relay.stores.limits import TokenBucket
from relay.stores.objects import ObjectStore

if TYPE_CHECKING:
    from flask import Flask

PREFETCH = 500
"""Deliveries a shard may hold unacked: one full group of inserts."""


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


def _refresh_token(pool: Pool, cipher: Cipher, tenant_id: str) -> str | None:
    held = credentials.opened(pool, cipher, tenant_id, "genesys")
    return held.values.get("refresh_token") if held else None


def build_changes(pool: Pool, cache: Cache) -> Changes:
    return Changes(pool, lambda refs: cache.forget(keys.route(kind, value) for kind, value in refs))


def build_ours(settings: Settings) -> Ours:
    """What the checks of a line have to know of this installation."""
    return Ours(settings.public_url, _rotating(settings.meta_app_secret.get_secret_value()))


def build_daemon(settings: Settings) -> Service:
    """One daemon, not yet started: it checks the database's shards and declares its queues when it starts."""
    pool = Pool(settings.database_url, size=10)
    cipher = build_cipher(settings)
    cache = Cache(settings.redis_url, cipher)
    objects = build_objects(settings)
    changes = build_changes(pool, cache)

    def declare() -> None:
        topology.declare(settings.broker_url, settings.relay_shards)

    services: list[Service] = []
    consumer = Consumer(
        settings.broker_url,
        settings.relay_shards,
        PREFETCH,
        on_failure=lambda error: services[0].fail(error),
        prepare=declare,
    )
    parts = Parts(
        limits=build_limits(settings),
        lease=Lease(str(uuid4())),
        pool=pool,
        cipher=cipher,
        changes=changes,
        channels=build_channels(settings, cache, changes),
        ours=build_ours(settings),
        objects=objects,
        bucket=TokenBucket(settings.redis_url),
        consumer=consumer,
        publisher=Publisher(settings.broker_url),
        timers=Timers(),
    )
    check = partial(check_shards, pool, settings.relay_shards)
    services.append(Service(parts, settings.metrics_host, settings.metrics_port, check))
    return services[0]


def build_limits(settings: Settings) -> Limits:
    return Limits(
        shards=settings.relay_shards,
        reorder_window=settings.reorder_window_ms / 1000,
        unknown_outcome=settings.unknown_outcome_seconds,
        genesys_per_minute=settings.genesys_rate_per_minute,
        whatsapp_per_second=settings.whatsapp_rate_per_second,
        media_url_inbound=settings.media_url_seconds_inbound,
        media_url_outbound=settings.media_url_seconds_outbound,
    )


def build_terms(settings: Settings, bucket: TokenBucket) -> Terms:
    """By what a person is told why something waits: the rates, and what is left of them in Redis."""
    rates = Rates(settings.genesys_rate_per_minute, settings.whatsapp_rate_per_second)
    return Terms(
        rates, lambda rate: bucket.peek(rate.key, rate.per_second, rate.burst), settings.reorder_window_ms / 1000
    )


def build_web(settings: Settings) -> Flask:
    """The application of one web worker, its preparation begun. Raises ShardCountError or TopologyError."""
    # In here, so that the daemon does without Flask.
    from web.app import create_app
    from web.lines import LineDirectory
    from web.openid import parts as openid
    from web.parts import WebParts
    from web.preparation import Preparation

    pool = Pool(settings.database_url, size=8)
    cipher = build_cipher(settings)
    cache = Cache(settings.redis_url, cipher)
    objects = build_objects(settings)
    declare = partial(topology.declare, settings.broker_url, settings.relay_shards)
    publisher = Publisher(settings.broker_url, prepare=declare)
    # A webhook waits for these look-ups: short deadlines, and not behind what the API asks for.
    lookups = Pool(settings.database_url, size=4, statement_seconds=1.5)
    signers = Signers(lookups, cipher)
    preparation = Preparation(
        {
            "shards": partial(check_shards, lookups, settings.relay_shards),
            "signers": signers.load,
            "queues": declare,
            "buckets": objects.ensure_buckets,
        }
    )
    bucket = TokenBucket(settings.redis_url)
    parts = WebParts(
        pool=pool,
        cipher=cipher,
        cache=cache,
        lines=LineDirectory(lookups, cipher, cache),
        signers=signers,
        publisher=publisher,
        dead_letters=DeadLetters(settings.broker_url),
        bucket=bucket,
        objects=objects,
        channels=build_channels(settings, cache, build_changes(pool, cache)),
        preparation=preparation,
        shards=settings.relay_shards,
        public_url=settings.public_url,
        secret_key=settings.secret_key.get_secret_value(),
        admin_api_key=settings.admin_api_key.get_secret_value(),
        meta_verify_token=settings.meta_verify_token.get_secret_value(),
        meta_app_secrets=_rotating(settings.meta_app_secret.get_secret_value()),
        cors_origins=settings.cors_origins,
        trusted_proxies=settings.trusted_proxies,
        terms=build_terms(settings, bucket),
        openid=openid.build(
            cache,
            openid.installation(
                settings.oidc_name,
                settings.oidc_issuer,
                settings.oidc_client_id,
                settings.oidc_client_secret.get_secret_value(),
                settings.oidc_role_claim,
                settings.oidc_roles,
                settings.oidc_second_factor,
            )
            if settings.oidc_issuer
            else None,
            settings.oidc_private_origins,
            settings.password_login,
        ),
    )
    app = create_app(parts)
    preparation.start()
    publisher.start()
    return app


def _rotating(secrets: str) -> tuple[str, ...]:
    """While META_APP_SECRET changes at Meta it may hold two, comma-separated, the current one first."""
    return tuple(secret.strip() for secret in secrets.split(",") if secret.strip())
