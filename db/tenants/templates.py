"""template_lists and templates: a tenant's approved templates as Meta listed them last, and whose turn it is to ask."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from psycopg2.extras import Json, execute_values

from db.cursor import Cursor
from db.paging import Page, decode, page
from db.pool import Pool
from db.tenants.changes import TakenError
from relay.core.messages import load
from relay.core.templates.listed import SURE_SECONDS, ListedTemplate
from relay.core.templates.news import MOST_KEPT, TemplateNews

EVERY_SECONDS = 3600.0
"""Meta is asked again after as much, whatever its webhooks told."""
TROUBLE_SECONDS = 900.0
NOT_WHOLE = "there are more templates than could be read in time; those read are listed"
AT_LEAST_SECONDS = 20.0
"""Between two readings of one list, however often it changes."""
LAGS_SECONDS = 300.0
"""So long after a change that was told Meta's list may still show what was before."""
WEEK_SECONDS = 7 * 86_400.0
MOST = 6000
FILTERS = ("status", "category", "quality", "language")
_ENDED_AT_ONCE = 50
_COLUMNS = "name, language, status, category, quality, described"


@dataclass(frozen=True, slots=True)
class ListStanding:
    """How fresh a tenant's list is; `trouble` says why Meta's answer could not be had."""

    waba_id: str
    fetched_at: datetime | None
    trouble: str | None
    at_work: bool
    count: int


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """Empty: all of them. `q` is a part of the name."""

    status: str = ""
    category: str = ""
    quality: str = ""
    language: str = ""
    q: str = ""


@dataclass(frozen=True, slots=True)
class DueList:
    """A list that is this daemon's to ask for, for now. `asked_at`: what is told after it stays (PostgreSQL's time).

    `due_at`: when it is somebody's again, should this daemon end; sooner, once a change is told of meanwhile.
    """

    tenant_id: str
    line_id: str
    due_at: datetime
    asked_at: datetime


def of_name(pool: Pool, tenant_id: str, name: str) -> list[ListedTemplate]:
    """Every language of one template that is known."""
    with pool.autocommit() as cursor:
        doubtful = _doubtful(cursor, tenant_id)
        cursor.execute(f"SELECT {_COLUMNS} FROM templates WHERE tenant_id = %s AND name = %s", (tenant_id, name))
        return [replace(_listed(row), doubtful=doubtful) for row in cursor.fetchall()]


def _doubtful(cursor: Cursor, tenant_id: str) -> bool:
    """Whether the list was not read whole the last time, or too long ago."""
    cursor.execute(
        """SELECT 1 FROM template_lists
           WHERE tenant_id = %s AND trouble IS NULL AND fetched_at > now() - make_interval(secs => %s)""",
        (tenant_id, SURE_SECONDS),
    )
    return cursor.fetchone() is None


def listed(
    pool: Pool, tenant_id: str, wanted: TemplateFilter, after: str | None = None, limit: int = 50
) -> Page[ListedTemplate]:
    """By name and language. Raises CursorError when `after` is not the `next` of an earlier page."""
    last = decode(after, str, str) if after is not None else ["", ""]
    with pool.autocommit() as cursor:
        cursor.execute(
            f"""SELECT {_COLUMNS} FROM templates
                WHERE tenant_id = %(tenant)s AND (name, language) > (%(name)s, %(after)s)
                  AND (%(status)s = '' OR status = %(status)s) AND (%(category)s = '' OR category = %(category)s)
                  AND (%(quality)s = '' OR quality = %(quality)s) AND (%(language)s = '' OR language = %(language)s)
                  AND (%(q)s = '' OR strpos(name, %(q)s) > 0)
                ORDER BY name, language LIMIT %(limit)s""",
            {**asdict(wanted), "tenant": tenant_id, "name": last[0], "after": last[1], "limit": limit + 1},
        )
        found = [_listed(row) for row in cursor.fetchall()]
    return page(found, limit, lambda one: (one.name, one.language))


def choices(pool: Pool, tenant_id: str) -> dict[str, list[str]]:
    """What can be filtered by: the values that the tenant's templates have."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT array_agg(DISTINCT status), array_agg(DISTINCT category), array_agg(DISTINCT quality),
                 array_agg(DISTINCT language) FROM templates WHERE tenant_id = %s""",
            (tenant_id,),
        )
        row = cursor.fetchone()
    return {name: sorted(found or ()) for name, found in zip(FILTERS, row, strict=True)}


def news(pool: Pool, tenant_id: str, name: str, language: str) -> list[TemplateNews]:
    """What Meta told of one language of a template, the newest first."""
    with pool.autocommit() as cursor:
        cursor.execute(
            "SELECT news FROM templates WHERE tenant_id = %s AND name = %s AND language = %s",
            (tenant_id, name, language),
        )
        row = cursor.fetchone()
    return [load(TemplateNews, one) for one in row[0]] if row else []


def standing(pool: Pool, tenant_id: str) -> ListStanding | None:
    """None: nobody has asked yet."""
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT waba_id, fetched_at, trouble, coalesce(taken_until > now(), false) AS at_work,
                 (SELECT count(*) FROM templates t WHERE t.tenant_id = l.tenant_id) AS count
               FROM template_lists l WHERE tenant_id = %s""",
            (tenant_id,),
        )
        return cursor.one(ListStanding)


# What Meta tells by its webhooks


def tell(cursor: Cursor, told: Iterable[tuple[str, TemplateNews]]) -> None:
    """Note news of tenants' templates, and have the lists read anew. Of another account than the list's: nothing."""
    for tenant_id, one in sorted(told, key=lambda pair: (pair[0], pair[1].name, pair[1].language)):
        # The list's lock puts whoever tells of one tenant in a row, and those who store it.
        cursor.execute(
            """UPDATE template_lists SET due_at = least(due_at, greatest(
                 now(), coalesce(fetched_at, '-infinity') + make_interval(secs => %s)))
               WHERE tenant_id = %s AND waba_id = %s RETURNING 1""",
            (AT_LEAST_SECONDS, tenant_id, one.waba_id),
        )
        if cursor.fetchone() is not None:
            _tell_one(cursor, tenant_id, one)


def _tell_one(cursor: Cursor, tenant_id: str, told: TemplateNews) -> None:
    key = (tenant_id, told.name, told.language)
    cursor.execute(
        f"SELECT {_COLUMNS}, news FROM templates WHERE tenant_id = %s AND name = %s AND language = %s FOR UPDATE", key
    )
    row = cursor.fetchone()
    if row is None and not _room(cursor, tenant_id):
        return
    template = _listed(row[:-1]) if row else ListedTemplate(told.name, told.language, "UNKNOWN", "UNKNOWN")
    before = list(row[-1]) if row else []
    if before and replace(load(TemplateNews, before[0]), at=told.at) == told:
        return  # a webhook that came twice
    kept = Json([asdict(told), *before][:MOST_KEPT])
    cursor.execute(
        f"""INSERT INTO templates (tenant_id, {_COLUMNS}, news, told_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())
            ON CONFLICT (tenant_id, name, language) DO UPDATE SET status = excluded.status,
              category = excluded.category, quality = excluded.quality, described = excluded.described,
              news = excluded.news, told_at = excluded.told_at""",
        (tenant_id, *_values(_after(template, told)), kept),
    )


def _room(cursor: Cursor, tenant_id: str) -> bool:
    cursor.execute("SELECT count(*) FROM templates WHERE tenant_id = %s", (tenant_id,))
    return int(cursor.fetchone()[0]) < MOST


def _after(template: ListedTemplate, told: TemplateNews) -> ListedTemplate:
    """The template as the news leave it."""
    match told.kind:
        case "status" if told.value:
            return replace(template, status=told.value, reason=told.reason)
        case "quality" if told.value:
            return replace(template, quality=told.value)
        case "components":
            return replace(template, shape=None)  # until it is described anew
        case "category" if told.done:
            return replace(template, category=told.value, next_category="")
        case "category" | "detection":
            return replace(template, next_category=told.value)
    return template


# The list


def take_due(pool: Pool, seconds: float, at_once: int) -> list[DueList]:
    """Up to `at_once` lists to ask for now, each by one of the tenant's active lines; nobody else for `seconds`."""
    with pool.transaction() as cursor:
        cursor.execute(
            """WITH due AS (
                 SELECT l.tenant_id FROM template_lists l
                 WHERE l.due_at <= now() AND (l.taken_until IS NULL OR l.taken_until < now())
                 ORDER BY l.due_at LIMIT %s FOR UPDATE SKIP LOCKED)
               UPDATE template_lists l SET taken_until = now() + make_interval(secs => %s),
                 due_at = now() + make_interval(secs => %s)
               FROM due WHERE l.tenant_id = due.tenant_id
               RETURNING l.tenant_id::text,
                 (SELECT n.id::text FROM lines n WHERE n.tenant_id = l.tenant_id AND n.status = 'active'
                  ORDER BY n.id LIMIT 1), l.due_at, now()""",
            (at_once, seconds, seconds),
        )
        return [DueList(row[0], row[1] or "", row[2], row[3]) for row in cursor.fetchall()]


def begin(pool: Pool, tenant_id: str, line_id: str, seconds: float) -> DueList:
    """Somebody asks by hand, who is nobody's neighbour for `seconds`. Raises TakenError."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO template_lists AS l (tenant_id, taken_until, due_at)
               SELECT %s, until, until FROM (SELECT now() + make_interval(secs => %s) AS until) asked
               ON CONFLICT (tenant_id) DO UPDATE SET taken_until = excluded.taken_until, due_at = excluded.due_at
                 WHERE (l.taken_until IS NULL OR l.taken_until < now())
                   AND (l.fetched_at IS NULL OR l.fetched_at < now() - make_interval(secs => %s))
               RETURNING due_at, now()""",
            (tenant_id, seconds, AT_LEAST_SECONDS),
        )
        row = cursor.fetchone()
    if row is None:
        raise TakenError("read_already", "the templates are being read, or were read a moment ago; look again")
    return DueList(tenant_id, line_id, *row)


def store(pool: Pool, due: DueList, waba_id: str, found: Sequence[ListedTemplate], *, whole: bool) -> list[str]:
    """Keep what Meta listed; returns the names that are there no more, which only a whole list tells."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT waba_id FROM template_lists WHERE tenant_id = %s FOR UPDATE", (due.tenant_id,))
        row = cursor.fetchone()
        if row is None:  # the tenant has no active line any more
            return []
        gone = _remove(cursor, due, found if whole else None, other=row[0] not in ("", waba_id))
        _upsert(cursor, due, list({(one.name, one.language): one for one in found}.values())[:MOST])
        cursor.execute(
            "UPDATE template_lists SET waba_id = %s, fetched_at = now() WHERE tenant_id = %s", (waba_id, due.tenant_id)
        )
        _end(cursor, due, EVERY_SECONDS, None if whole else NOT_WHOLE)
    return gone


def fail(pool: Pool, due: DueList, trouble: str, seconds: float) -> None:
    """Meta's answer could not be had: again after `seconds`, and what was known stays."""
    with pool.transaction() as cursor:
        _end(cursor, due, seconds, trouble)


def _end(cursor: Cursor, due: DueList, seconds: float, trouble: str | None) -> None:
    """Soon again where a change was told of meanwhile, and a while after one: Meta's own list may lag behind it."""
    cursor.execute(
        """UPDATE template_lists SET taken_until = NULL, trouble = %s, due_at = now() + make_interval(secs =>
             CASE WHEN due_at < %s THEN least(%s, %s)
                  WHEN EXISTS (SELECT 1 FROM templates t WHERE t.tenant_id = template_lists.tenant_id
                               AND t.told_at > now() - make_interval(secs => %s)) THEN least(%s, %s)
                  ELSE %s END)
           WHERE tenant_id = %s""",
        (
            trouble, due.due_at, AT_LEAST_SECONDS, seconds, LAGS_SECONDS, LAGS_SECONDS, seconds, seconds, due.tenant_id,
        ),
    )  # fmt: skip


def _remove(cursor: Cursor, due: DueList, found: Sequence[ListedTemplate] | None, *, other: bool) -> list[str]:
    """What the whole list does not hold, and all that belonged to another account."""
    if found is None and not other:
        return []
    cursor.execute(
        """DELETE FROM templates t WHERE tenant_id = %s AND (told_at IS NULL OR told_at < %s OR %s)
             AND NOT EXISTS (SELECT 1 FROM unnest(%s::text[], %s::text[]) f (name, language)
                             WHERE f.name = t.name AND f.language = t.language)
           RETURNING name""",
        (due.tenant_id, due.asked_at, other, [one.name for one in found or ()], [one.language for one in found or ()]),
    )
    left = {one.name for one in found or ()}
    return sorted({row[0] for row in cursor.fetchall()} - left)


def _upsert(cursor: Cursor, due: DueList, found: Sequence[ListedTemplate]) -> None:
    if not found:
        return
    older = cursor.mogrify("coalesce(templates.told_at, '-infinity') < %s", (due.asked_at,)).decode()
    execute_values(
        cursor,
        f"""INSERT INTO templates (tenant_id, {_COLUMNS}) VALUES %s
            ON CONFLICT (tenant_id, name, language) DO UPDATE SET status = excluded.status,
              category = excluded.category, quality = excluded.quality, described = excluded.described
            WHERE {older} AND (templates.status, templates.category, templates.quality, templates.described)
              IS DISTINCT FROM (excluded.status, excluded.category, excluded.quality, excluded.described)""",
        sorted((due.tenant_id, *_values(one)) for one in found),
        page_size=500,
    )


def whole_list(pool: Pool, tenant_id: str) -> list[ListedTemplate]:
    """Of a tenant, by name: 6,000 at most."""
    with pool.autocommit() as cursor:
        doubtful = _doubtful(cursor, tenant_id)
        cursor.execute(
            f"SELECT {_COLUMNS} FROM templates WHERE tenant_id = %s ORDER BY name, language LIMIT %s", (tenant_id, MOST)
        )
        return [replace(_listed(row), doubtful=doubtful) for row in cursor.fetchall()]


def tidy(pool: Pool) -> None:
    """A list for each tenant with an active line, and none for those that have had none for a week."""
    with pool.transaction() as cursor:
        cursor.execute(
            """INSERT INTO template_lists (tenant_id)
               SELECT DISTINCT l.tenant_id FROM lines l
               WHERE l.status = 'active' AND NOT EXISTS (SELECT 1 FROM template_lists t WHERE t.tenant_id = l.tenant_id)
               ON CONFLICT (tenant_id) DO NOTHING"""
        )
        cursor.execute(
            """DELETE FROM template_lists WHERE tenant_id IN (
                 SELECT t.tenant_id FROM template_lists t
                 WHERE coalesce(t.fetched_at, t.due_at) < now() - make_interval(secs => %s)
                   AND NOT EXISTS (SELECT 1 FROM lines l WHERE l.tenant_id = t.tenant_id AND l.status = 'active')
                 LIMIT %s)""",
            (WEEK_SECONDS, _ENDED_AT_ONCE),
        )


def _listed(row: Sequence[Any]) -> ListedTemplate:
    name, language, status, category, quality, described = row
    if described is None:
        return ListedTemplate(name, language, status, category, quality)
    return replace(
        load(ListedTemplate, described), name=name, language=language, status=status, category=category, quality=quality
    )


def _values(one: ListedTemplate) -> tuple[Any, ...]:
    return one.name, one.language, one.status, one.category, one.quality, json.dumps(asdict(one))
