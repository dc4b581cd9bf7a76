"""`relay doctor`: is every part there, and does every line work? Looks only, and says what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import gevent
import requests
from gevent.pool import Pool as Greenlets

from conf import profile
from conf.settings import Settings
from db import migrate
from db.daemons import home, shards
from db.errors import SchemaError
from db.pool import Pool
from db.sealing import Cipher, SealError
from db.tenants import registry
from db.tenants.registry import Tenant
from relay.broker import topology
from relay.broker.errors import BrokerError
from relay.channels.base import Channel, Finding
from relay.checks import line_checks
from relay.checks.line_checks import OwnInstallation, SideFindings, Subject
from relay.clients import build_cipher, build_mail, build_objects
from relay.core.errors import SendError, StoreError
from relay.stores.cache import Cache

LINES_AT_ONCE = 4
"""Each line asks both providers and our own web at once."""
PAGE = 100
SEALED_ADVICE = "Where that key is lost, have the credentials of this tenant entered anew."
PART_SECONDS = 30.0
WEB_SECONDS = 5.0
WIDTH = 118
OTLP = {"Content-Type": "application/x-protobuf"}
NOTHING_LOST = b'{}\n{"type":"client_report"}\n{"discarded_events":[]}\n'
INDENT = " " * 42


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """One block of the doctor's report: the installation, or a line."""

    title: str
    checked: Sequence[SideFindings]

    @property
    def refused(self) -> bool:
        return any(one.refused for one in self.checked)

    def lacks(self, check: str) -> bool:
        """Whether this very check is refused."""
        return any(found.check == check and found.level == "refused" for one in self.checked for found in one.findings)

    def table(self) -> str:
        """Plain text: level, side, check, what was found; below it what to do."""
        rows = [row for one in self.checked for finding in one.findings for row in _rows(one.side, finding)]
        return "\n".join([self.title, *rows, ""])


def _rows(side: str, finding: Finding) -> list[str]:
    head = f"  {finding.level:<8} {side:<8} {finding.check:<20}  "
    # Names are copied from here: none is broken in two.
    wrap = partial(textwrap.wrap, width=WIDTH - len(INDENT), break_on_hyphens=False)
    texts = wrap(finding.text) or [""]
    advice = wrap(finding.advice, initial_indent="-> ", subsequent_indent="   ")
    return [head + texts[0], *(INDENT + text for text in (*texts[1:], *advice))]


def installation(settings: Settings) -> list[SideFindings]:
    """PostgreSQL and its schema, the daemons, broker and queues, Redis, buckets, web, the mail server; side by side."""
    looks: dict[str, Callable[[Settings], Finding]] = {
        "database": _database,
        "daemons": _daemons,
        "broker": _broker,
        "redis": _redis,
        "buckets": _buckets,
        "web": _web,
        "mail": _mail,
        **({"traces": _traces} if settings.tracing_url is not None else {}),
        **({"errors": _errors} if settings.sentry_dsn is not None else {}),
    }
    running = [gevent.spawn(_looked, name, look, settings) for name, look in looks.items()]
    gevent.joinall(running, timeout=PART_SECONDS)
    late = [Finding(name, "refused", "did not answer in time", "See whether it runs.") for name in looks]
    found = [one.value if one.ready() and one.value else missing for one, missing in zip(running, late, strict=True)]
    return [SideFindings("", "relay", (*found, *_insecure(settings)))]


def _insecure(settings: Settings) -> Iterator[Finding]:
    """What RELAY_INSECURE admits, so that nobody forgets it."""
    for one in profile.admitted(settings):
        advice = f"{one.advice} Then take {one.name} out of RELAY_INSECURE."
        yield Finding(one.name, "warning", f"{one.variable} {one.text}", advice)


def lines(
    pool: Pool, cipher: Cipher, channels: Mapping[str, Channel], ours: OwnInstallation, tenant_id: str | None
) -> Iterator[ReportBlock]:
    """Every line as soon as it and those before it have been looked at. Raises StoreError at the end.

    Of a tenant whose secrets cannot be read that is said, in the place of its lines.
    """
    failed: list[StoreError] = []

    def look(asked: tuple[Tenant, Subject | SealError]) -> ReportBlock:
        tenant, subject = asked
        if isinstance(subject, SealError):
            unreadable = Finding("secrets", "refused", str(subject), SEALED_ADVICE)
            return ReportBlock(f"{tenant.name}: tenant {tenant.id}", [SideFindings("", "relay", (unreadable,))])
        return ReportBlock(_title(tenant, subject), line_checks.check_line(channels, subject, ours))

    def listed() -> Iterator[tuple[Tenant, Subject | SealError]]:
        try:
            yield from _subjects(pool, cipher, ours, tenant_id)
        except StoreError as error:  # gevent would print it with a traceback
            failed.append(error)

    yield from Greenlets(LINES_AT_ONCE).imap(look, listed(), maxsize=LINES_AT_ONCE)
    if failed:
        raise failed[0]


def _subjects(
    pool: Pool, cipher: Cipher, ours: OwnInstallation, tenant_id: str | None
) -> Iterator[tuple[Tenant, Subject | SealError]]:
    for tenant in _tenants(pool, tenant_id):
        try:
            found = line_checks.subjects(pool, cipher, ours, tenant.id)
        except SealError as error:
            yield tenant, error
            continue
        yield from ((tenant, subject) for subject in found if subject.active or tenant_id is not None)


def _tenants(pool: Pool, tenant_id: str | None) -> Iterator[Tenant]:
    if tenant_id is not None:
        found = registry.get(pool, tenant_id)
        yield from [found] if found else []
        return
    page = registry.listed(pool, PAGE)
    while page:
        yield from page
        page = registry.listed(pool, PAGE, page[-1].id)


def _title(tenant: Tenant, subject: Subject) -> str:
    number = subject.whatsapp.line_ref if subject.whatsapp else "?"
    integration = subject.genesys.line_ref if subject.genesys else "?"
    state = "" if subject.active else " (not active)"
    return f"{tenant.name}: number {number}, integration {integration}, line {subject.line_id}{state}"


def _looked(name: str, look: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return look(settings)
    except migrate.ShardCountError as error:  # its text says what to do
        return Finding(name, "refused", str(error), "")
    except SchemaError:
        return Finding(name, "refused", "cannot be looked up: the database has no schema yet", "Run `relay migrate`.")
    except (StoreError, BrokerError) as error:
        return Finding(name, "refused", str(error), _ADVICE[name])


_ADVICE = {
    "database": "Start PostgreSQL, and compare DATABASE_URL with it.",
    "daemons": "Start PostgreSQL first.",
    "broker": "Start RabbitMQ and compare BROKER_URL with it. Missing queues are made when web or a daemon starts.",
    "redis": "Start Redis and compare REDIS_URL with it.",
    "buckets": "Start the object store and compare MINIO_ENDPOINT and its keys with it.",
    "web": "Start web.",
    "mail": "Compare SMTP_URL with the mail server.",
}


def _database(settings: Settings) -> Finding:
    with Pool(settings.database_url, size=1) as pool:
        migrate.check_shards(pool, settings.relay_shards)
        with pool.transaction() as cursor:
            moved = home.has_moved(cursor)
    missing = migrate.pending(settings.database_url)
    if missing:
        text = f"the schema is older than this program: {', '.join(missing)} not applied"
        return Finding("database", "refused", text, "Run `relay migrate`.")
    if moved:
        return Finding("database", "warning", home.MOVED, home.ADVICE)
    return Finding("database", "ok", "PostgreSQL answers, and its schema is the newest")


def _daemons(settings: Settings) -> Finding:
    with Pool(settings.database_url, size=1) as pool, pool.transaction() as cursor:
        names, served, total = shards.overview(cursor)
    if not names:
        text = "no daemon is alive: webhooks are taken and kept, but nothing is relayed"
        return Finding("daemons", "refused", text, "Start one with `relay run`, and see its log if it ends.")
    text = f"{len(names)} {'daemon' if len(names) == 1 else 'daemons'} alive, {served} of {total} shards served"
    if served < total:
        return Finding("daemons", "warning", text, "Look again in half a minute: shards move when a daemon ends.")
    return Finding("daemons", "ok", text)


def _broker(settings: Settings) -> Finding:
    waiting = topology.waiting(settings.broker_url, settings.relay_shards)
    return Finding("broker", "ok", f"the broker answers, its queues are there, {waiting} items wait in them")


def _redis(settings: Settings) -> Finding:
    with closing(Cache(settings.redis_url, build_cipher(settings))) as cache:
        if cache.ping():
            return Finding("redis", "ok", "Redis answers")
    text = "Redis does not answer: everything is slower, and limits count for each daemon alone"
    return Finding("redis", "warning", text, cache.trouble or _ADVICE["redis"])


def _buckets(settings: Settings) -> Finding:
    with closing(build_objects(settings)) as objects:
        missing = objects.missing_buckets()
    if missing:
        text = f"buckets are missing: {', '.join(missing)}"
        return Finding("buckets", "refused", text, "Web and daemons make them at start, if their key may do so.")
    return Finding("buckets", "ok", "the object store answers, and its four buckets are there")


def _mail(settings: Settings) -> Finding:
    """Whether people can be told; messages flow without it."""
    server = build_mail(settings)
    if server is None:
        return Finding("mail", "ok", "SMTP_URL is not set: nobody is told by e-mail when something is wrong")
    try:
        server.check()
    except SendError as error:
        return Finding("mail", "warning", f"{error.text}: nobody is told by e-mail", _ADVICE["mail"])
    return Finding("mail", "ok", "the mail server answers and lets us in")


def _traces(settings: Settings) -> Finding:
    """Asked with a request of no spans. Messages flow without it."""
    return _receiver("traces", "TRACING_URL", f"{settings.tracing_url}/v1/traces", b"", OTLP, settings)


def _errors(settings: Settings) -> Finding:
    """Asked with a report that tells of nothing."""
    dsn = urlsplit(settings.sentry_dsn.get_secret_value() if settings.sentry_dsn is not None else "")
    before, _, project = dsn.path.rstrip("/").rpartition("/")
    url = f"{dsn.scheme}://{dsn.netloc.rpartition('@')[2]}{before}/api/{project}/envelope/"
    headers = {
        "Content-Type": "application/x-sentry-envelope",
        "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=relay-doctor/1, sentry_key={dsn.username}",
    }
    return _receiver("errors", "SENTRY_DSN", url, NOTHING_LOST, headers, settings)


def _receiver(
    check: str, setting: str, url: str, body: bytes, headers: Mapping[str, str], settings: Settings
) -> Finding:
    advice = f"Compare {setting} with the receiver. Messages do not wait for it."
    try:
        answer = requests.post(
            url, body, headers=dict(headers), timeout=WEB_SECONDS, allow_redirects=False, verify=settings.authorities
        )
    except requests.RequestException as error:
        return Finding(check, "warning", f"nobody answers at {setting} ({type(error).__name__})", advice)
    if answer.status_code != 200:
        return Finding(check, "warning", f"the receiver at {setting} answers {answer.status_code}", advice)
    return Finding(check, "ok", f"the receiver at {setting} answers")


def _web(settings: Settings) -> Finding:
    """Asked where the providers ask, so that a wrong PUBLIC_URL shows as well."""
    url = f"{settings.public_url}/health/ready"
    try:
        status = requests.get(url, timeout=WEB_SECONDS, allow_redirects=False).status_code
    except requests.RequestException as error:
        text = f"web does not answer at PUBLIC_URL ({type(error).__name__})"
        return Finding("web", "warning", text, "Start web, or see whether PUBLIC_URL can be reached from this machine.")
    if status != 200:
        return Finding("web", "warning", f"web answers {status} at PUBLIC_URL", f"{url} says what it is waiting for.")
    return Finding("web", "ok", "web is ready at PUBLIC_URL")
