"""The daemon's composition root: the only place where its parts are made and handed to each other."""

from __future__ import annotations

from uuid import uuid4

from conf.settings import Settings
from db.conditions.mail_links import MailLinks
from db.contacts.tombstones import Tombstones
from db.daemons import versions
from db.migrate import check_shards
from db.pool import Pool
from db.tenants.signers import Signers
from relay.actors.intake import PREFETCH
from relay.broker import topology
from relay.broker.connect import is_redis
from relay.broker.consumer import Consumer
from relay.broker.dead_letters import DeadLetters
from relay.broker.publisher import Publisher
from relay.checks import certificate_ends
from relay.clients import (
    build_changes,
    build_channels,
    build_cipher,
    build_mail,
    build_objects,
    build_ours,
    build_retention,
    build_webhooks,
)
from relay.daemon.service import Service
from relay.runtime.context import Lease, Limits, Parts
from relay.runtime.rows import RowsReader
from relay.runtime.timers import Timers
from relay.stores.agent_directory import AgentDirectory
from relay.stores.cache import Cache
from relay.stores.limits import TokenBucket
from relay.stores.template_directory import TemplateDirectory


def build_daemon(settings: Settings) -> Service:
    """One daemon, not yet started: it checks the database's shards and declares its queues when it starts."""
    pool = Pool(settings.database_url, size=10, steady=True)
    cipher = build_cipher(settings)
    cache = Cache(settings.redis_url, cipher)
    objects = build_objects(settings)
    signers = Signers(pool, cipher)
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
        publisher=Publisher(settings.broker_url, prepare=declare),
        timers=Timers(),
        rows=RowsReader(pool),
        templates=TemplateDirectory(cache),
        agents=AgentDirectory(cache),
        mail=build_mail(settings),
        signers=signers,
        mail_links=MailLinks(signers, settings.public_url),
        tls_servers=certificate_ends.servers(server_urls(settings)),
        webhooks=build_webhooks(settings, cache),
        cache=cache,
        dead_letters=DeadLetters(settings.broker_url),
        tombstones=Tombstones(pool, signers),
    )

    def check() -> None:
        check_shards(pool, settings.relay_shards)
        versions.check(pool)

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
        backlog_minutes=settings.backlog_minutes,
        alone=is_redis(settings.broker_url),
        retention=build_retention(settings),
        measures=settings.metrics_seconds,
        measures_by_line=settings.metrics_by_line,
    )


def server_urls(settings: Settings) -> dict[str, str]:
    """Of all servers whose certificates this installation depends on, by what metrics call them."""
    return {
        "public": settings.public_url,
        "files": settings.minio_public_url,
        "object_store": f"http{'s' if settings.minio_secure else ''}://{settings.minio_endpoint}",
        "database": settings.database_url,
        "broker": settings.broker_url,
        "redis": settings.redis_url,
    }
