"""Web's composition root: the only place where a worker's parts are made and handed to each other."""

from __future__ import annotations

from functools import partial

import gevent
from flask import Flask

from conf.settings import Settings
from db.daemons import versions
from db.migrate import check_shards
from db.pool import Pool
from db.tenants.signers import Signers
from relay.broker import topology
from relay.broker.dead_letters import DeadLetters
from relay.broker.publisher import Publisher
from relay.clients import (
    build_changes,
    build_channels,
    build_cipher,
    build_mail,
    build_objects,
    build_retention,
    build_webhooks,
    observe,
    rotating,
)
from relay.core.explain.reasons import Terms
from relay.core.limits import Rates
from relay.stores.agent_directory import AgentDirectory
from relay.stores.cache import Cache
from relay.stores.limits import TokenBucket
from relay.stores.series import SharedSeries
from relay.stores.template_directory import TemplateDirectory
from web.app import create_app
from web.openid import parts as openid
from web.request.attendance import Attendance
from web.request.loop_lag import watch_loop
from web.request.start_up import StartUp
from web.request.web_context import WebContext
from web.webhooks.absence import Absence
from web.webhooks.lines import LineDirectory

__all__ = ["build_terms", "build_web", "observe"]


def build_web(settings: Settings) -> Flask:
    """The application of one web worker, its preparation begun. Raises what web.wsgi says in words."""
    pool = Pool(settings.database_url, size=8)
    cipher = build_cipher(settings)
    cache = Cache(settings.redis_url, cipher)
    objects = build_objects(settings)
    declare = partial(topology.declare, settings.broker_url, settings.relay_shards)
    publisher = Publisher(settings.broker_url, prepare=declare)
    # A webhook waits for these look-ups: short deadlines, and not behind what the API asks for.
    lookups = Pool(settings.database_url, size=4, statement_seconds=1.5)
    signers = Signers(lookups, cipher)
    preparation = StartUp(
        {
            "shards": partial(check_shards, lookups, settings.relay_shards),
            "version": partial(versions.check, lookups),
            "signers": signers.load,
            "queues": declare,
        },
        beside={"buckets": objects.ensure_buckets},
    )
    absence = Absence(pool, lambda: preparation.done and publisher.connected, SharedSeries(settings.redis_url))
    bucket = TokenBucket(settings.redis_url)
    context = WebContext(
        pool=pool,
        cipher=cipher,
        cache=cache,
        lines=LineDirectory(lookups, cipher, cache),
        signers=signers,
        publisher=publisher,
        dead_letters=DeadLetters(settings.broker_url),
        bucket=bucket,
        objects=objects,
        templates=TemplateDirectory(cache),
        agents=AgentDirectory(cache),
        webhooks=build_webhooks(settings, cache),
        mail=build_mail(settings),
        channels=build_channels(settings, cache, build_changes(pool, cache)),
        preparation=preparation,
        absence=absence,
        attendance=Attendance(pool, preparation.refuse),
        shards=settings.relay_shards,
        public_url=settings.public_url,
        secret_key=settings.secret_key.get_secret_value(),
        admin_api_key=settings.admin_api_key.get_secret_value(),
        meta_verify_token=settings.meta_verify_token.get_secret_value(),
        meta_app_secrets=rotating(settings.meta_app_secret.get_secret_value()),
        cors_origins=settings.cors_origins,
        trusted_proxies=settings.trusted_proxies,
        retention=build_retention(settings),
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
    app = create_app(context)
    preparation.start()
    publisher.start()
    absence.start()
    context.attendance.start()
    gevent.spawn(watch_loop)
    return app


def build_terms(settings: Settings, bucket: TokenBucket) -> Terms:
    """By what a person is told why something waits: the rates, and what is left of them in Redis."""
    rates = Rates(settings.genesys_rate_per_minute, settings.whatsapp_rate_per_second)
    return Terms(
        rates, lambda rate: bucket.peek(rate.key, rate.per_second, rate.burst), settings.reorder_window_ms / 1000
    )
