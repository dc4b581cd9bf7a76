"""`relay apply` and `relay export-settings`: lines for people, and whether anything is to be done."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from conf.settings import Settings
from db.pool import Pool
from db.tenants import registry
from db.tenants.changes import Changes, NotFoundError, Ref
from db.whole import whole
from relay.cli.applying import document, plan, references, schema, standing
from relay.cli.applying.document import TenantDocument, TenantFileError
from relay.cli.applying.doing import StepDoer
from relay.cli.applying.schema import TenantFile
from relay.cli.applying.standing import TenantStanding
from relay.cli.speaking import NotNowError
from relay.clients import build_changes, build_cipher, build_retention, build_webhooks
from relay.stores.cache import Cache

HEADING = """\
# A tenant of the relay, for `relay apply`; docs/apply.md says what may stand here.
# Secrets are not in it: `kept` is what the relay has; env:NAME or file:/path leads to another one.
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """`lines` for people. `open`: there is something to do, and it was not done."""

    lines: list[str]
    open: bool


def apply(settings: Settings, path: Path, *, do: bool, expected: str | None) -> Applied:
    """Make the tenant as the file says, all or nothing, or tell what would be done.

    `expected`: the fingerprint of the plan that somebody has looked at; nothing is done by another one.
    Raises TenantFileError, NotPlannedError, NotNowError, ChangedMeanwhileError, and what the actions raise.
    """
    doc, cipher = document.read(_text(path)), build_cipher(settings)
    opened = _opened(doc)
    refs: set[Ref] = set()
    with (
        Pool(settings.database_url, size=1) as pool,
        closing(Cache(settings.redis_url, cipher)) as cache,
        closing(build_webhooks(settings, cache)) as webhooks,
    ):
        with whole(pool) as one:
            tenant = _tenant(one, doc)
            now = standing.standing(one, cipher, tenant)
            wished = _wished(doc, opened, now)
            found = plan.steps(now, wished)
            doer = StepDoer(Changes(one, refs.update), cipher, build_retention(settings), webhooks)
            doer.tenant_id = tenant.id if tenant else ""
            for step in found:
                doer.check(step)
            mark = plan.fingerprint(settings.secret_key.get_secret_value(), now, wished, found)
            if expected not in (None, mark):
                raise NotNowError(f"the plan is another one by now ({mark}): tenant or file has changed. Look again")
            meant = (
                [f"tenant {tenant.id}, found by its name"] if tenant and not doc.data.get("tenant") and found else []
            )
            if meant and do and expected is None:
                # Whoever runs a tenant may call it as another is to be called, and would be given its credentials.
                raise NotNowError(f"{meant[0]}: say `tenant:` with this id in the file, or --plan {mark}")
            for step in found if do else ():
                doer.do(step)
        # Look-ups that were made meanwhile go by what was there before.
        build_changes(pool, cache).forget(refs)
    told = [f"{step.mark} {step.text}" for step in found]
    return Applied([*meant, *told, *doer.told, _end(len(found), path, mark, do)], bool(found) and not do)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > document.MOST_BYTES:
            raise TenantFileError(f"{path} is larger than {document.MOST_BYTES // 1024} KB")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TenantFileError(f"{path} cannot be read: {type(error).__name__}") from None


def _opened(doc: TenantDocument) -> dict[document.Path, str]:
    """What the references lead to; those that keep what is there are left out."""
    found = {}
    for path, reference in references.found(doc):
        if reference != references.KEPT:
            try:
                found[path] = references.opened(reference)
            except TenantFileError as error:
                raise TenantFileError(f"line {doc.line(path)}: {error}") from None
    return found


def _tenant(pool: Pool, doc: TenantDocument) -> registry.Tenant | None:
    tenant_id, name = doc.data.get("tenant"), doc.data.get("name")
    try:
        return standing.find(pool, None if tenant_id is None else str(tenant_id), str(name))
    except LookupError as error:
        raise TenantFileError(f"line {doc.line(('tenant',))}: {error}") from None


def _wished(doc: TenantDocument, opened: dict[document.Path, str], now: TenantStanding) -> TenantFile:
    data = deepcopy(doc.data)
    for path, reference in references.found(doc):
        value = _kept(doc, path, now) if reference == references.KEPT else opened[path]
        references.put(data, path, value)
    return schema.checked(doc, data)


def _kept(doc: TenantDocument, path: document.Path, now: TenantStanding) -> str:
    value: str | None = None
    if path == ("conditions_webhook",):
        value = now.webhook
    elif len(path) == 3 and path[0] == "credentials" and path[1] in standing.SIDES:
        side: standing.Side = "whatsapp" if path[1] == "whatsapp" else "genesys"
        value = now.credentials.get(side, {}).get(str(path[2]))
    elif len(path) == 3 and path[0] == "lines":
        given = references.at(doc.data, path[:-1])
        pair = str(given.get("phone_number_id")), str(given.get("integration_id"))
        ids = [line.id for line in now.lines if (line.phone_number_id, line.integration_id) == pair]
        value = now.line_secrets.get(ids[0]) if ids else None
    if value is None:
        raise TenantFileError(f"line {doc.line(path)}: the relay has no {path[-1]} here to keep; write env: or file:")
    return value


def _end(count: int, path: Path, mark: str, do: bool) -> str:
    if not count:
        return "Nothing to do: the tenant is as the file says."
    if do:
        return f"Done: {count} changed."
    return f"Nothing was changed. To do this: relay apply {path} --yes --plan {mark}"


def export(settings: Settings, tenant_id: str) -> Iterable[str]:
    """The file of a tenant. Applied, it changes nothing. Raises NotFoundError."""
    cipher = build_cipher(settings)
    with Pool(settings.database_url, size=1) as pool:
        tenant = registry.get(pool, tenant_id)
        if tenant is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        yield HEADING + document.written(standing.as_file(standing.standing(pool, cipher, tenant)))
