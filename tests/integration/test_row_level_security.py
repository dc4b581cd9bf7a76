"""The second lock alone: PostgreSQL itself shows a tenant its own rows and nobody else's, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg2.errors
import pytest
from cryptography.fernet import Fernet

from db.access import api_keys, guesses, sessions, user_news, users
from db.access.guesses import Source
from db.audit import Author
from db.contacts import conversations
from db.mailbox import events, notices
from db.mailbox.notices import NewNotice
from db.pool import DatabaseError, Pool
from db.sealing import Cipher
from db.tenants import credentials
from db.tenants.changes import Changes
from tests.integration.rows import new_line, sent_message

BY = Author("test")
SHARED = {"daemons", "webs", "shards", "rate_cards", "rates"}
"""Nobody's rows: of these a tenant may read that somebody works at all, and what messages cost."""


ALL_LINES_NEED = {"tenants", "tenant_credentials", "template_lists", "templates"}
"""What every line needs: whoever is for some lines only reads it, too."""


@dataclass(frozen=True)
class Tenant:
    id: str
    pool: Pool
    line_id: str = ""


@contextmanager
def forbidden() -> Iterator[None]:
    """PostgreSQL itself does not permit what is within."""
    with pytest.raises(DatabaseError) as refused:
        yield
    assert refused.value.kind == "refused"


def new_tenant(pool: Pool) -> Tenant:
    """A tenant with at least one row in every table that holds tenants' rows."""
    line_id = new_line(pool)
    message = sent_message(pool, line_id, provider_id=uuid4().hex)
    tenant_id = message.tenant_id
    credentials.put(
        Changes(pool, lambda _: None), Cipher([Fernet.generate_key().decode()]), BY, tenant_id, "whatsapp",
        {"access_token": "x"},
    )  # fmt: skip
    user = users.create(pool, BY, tenant_id, f"{uuid4().hex}@x.example", "A", "admin", "x")
    sessions.begin(pool, user, "a browser")
    guesses.begin(pool, user.id, Source("a network", known=False))
    api_keys.create(pool, BY, tenant_id, "a key", ["messages:read"], None)
    with pool.transaction() as cursor:
        conversations.see_genesys_conversations(cursor, [(message.conversation_id, uuid4().hex)])
        events.note(cursor, [(message.id, "retry", "x")])
        user_news.tell(cursor, user.id, "password", BY)
        notices.keep(cursor, [NewNotice(tenant_id, line_id, "whatsapp", "news", "x", {}, 0.0)])
        cursor.execute(
            "INSERT INTO catch_ups (line_id, tenant_id, since, reason, looks) VALUES (%s, %s, now(), 'asked', 1)",
            (line_id, tenant_id),
        )
        cursor.execute(
            """INSERT INTO conversation_ends
                 (tenant_id, line_id, conversation_id, genesys_conversation_id, kind, at)
               VALUES (%s, %s, %s, 'x', 'over', now())""",
            (tenant_id, line_id, message.conversation_id),
        )
        cursor.execute(
            "INSERT INTO end_requests (message_id, tenant_id, line_id, conversation_id) VALUES (%s, %s, %s, %s)",
            (message.id, tenant_id, line_id, message.conversation_id),
        )
        cursor.execute(
            """INSERT INTO openid_providers (tenant_id, name, issuer, client_id, sealed, role_claim, admin_values,
               viewer_values, login_key) VALUES (%s, 'x', 'x', 'x', 'x', 'x', '{}', '{}', %s)""",
            (tenant_id, uuid4().hex),
        )
        cursor.execute("INSERT INTO openid_domains VALUES (%s, %s)", (f"{uuid4().hex}.example", tenant_id))
        cursor.execute("INSERT INTO openid_identities VALUES (%s, %s, 'x', %s)", (user.id, tenant_id, uuid4().hex))
        cursor.execute("INSERT INTO onboarding_drafts (tenant_id, sealed) VALUES (%s, 'x')", (tenant_id,))
        cursor.execute(
            """WITH begun AS (
                 INSERT INTO replays (id, tenant_id, started_by, total) VALUES (%s, %s, 'x', 1) RETURNING id)
               INSERT INTO replays_under_way SELECT id, %s, %s, 'outbound' FROM begun""",
            (str(uuid4()), tenant_id, message.id, line_id),
        )
        for table in ("message_prices", "message_prices_new"):
            cursor.execute(
                f"INSERT INTO {table} VALUES (%s, %s, '2026-10-01', 'DE', 'service', 'regular', '', 1)",
                (line_id, tenant_id),
            )
        cursor.execute("INSERT INTO check_schedules VALUES (%s, %s, now())", (line_id, tenant_id))
        cursor.execute(
            "INSERT INTO check_runs (line_id, tenant_id, worst, looked, findings) VALUES (%s, %s, 'ok', 1, '[]')",
            (line_id, tenant_id),
        )
        cursor.execute(
            "INSERT INTO erasures (id, tenant_id, digest, asked_by) VALUES (%s, %s, 'x', 'x')",
            (str(uuid4()), tenant_id),
        )
        cursor.execute("INSERT INTO tombstones VALUES (%s, 'x', now(), now())", (tenant_id,))
        cursor.execute("INSERT INTO retention VALUES (%s, '{}', 'x')", (tenant_id,))
        cursor.execute(
            """INSERT INTO tenant_deletions (tenant_id, name, refs, since, begins_at)
               VALUES (%s, 'x', '{}', now(), now())""",
            (tenant_id,),
        )
        cursor.execute("INSERT INTO retention_steps (tenant_id, kind) VALUES (%s, 'media')", (tenant_id,))
        endpoint = str(uuid4())
        cursor.execute(
            "INSERT INTO endpoints (id, tenant_id, url, kinds, sealed) VALUES (%s, %s, 'https://x.example', '{}', 'x')",
            (endpoint, tenant_id),
        )
        cursor.execute(
            """WITH told AS (INSERT INTO endpoint_events (endpoint_id, tenant_id, kind, lane, data)
                             VALUES (%s, %s, 'endpoint.test', %s, '{}') RETURNING id)
               INSERT INTO endpoint_attempts (event_id, n, tenant_id, at, seconds)
               SELECT id, 1, %s, now(), 0 FROM told""",
            (endpoint, tenant_id, endpoint, tenant_id),
        )
        cursor.execute("INSERT INTO event_listeners (tenant_id) VALUES (%s)", (tenant_id,))
        cursor.execute(
            """INSERT INTO conditions (tenant_id, kind, subject, detail) VALUES (%s, 'backlog', '', '') RETURNING id""",
            (tenant_id,),
        )
        cursor.execute(
            "INSERT INTO condition_changes (condition_id, tenant_id, what) VALUES (%s, %s, 'begun')",
            (cursor.fetchone()[0], tenant_id),
        )
        cursor.execute(
            "INSERT INTO addressees (tenant_id, kind, user_id) VALUES (%s, 'mail', %s)", (tenant_id, user.id)
        )
        cursor.execute("INSERT INTO confirming_mails (tenant_id, address) VALUES (%s, 'x')", (tenant_id,))
        cursor.execute("INSERT INTO template_lists (tenant_id, waba_id) VALUES (%s, '1')", (tenant_id,))
        cursor.execute("INSERT INTO templates VALUES (%s, 'a', 'en', 'APPROVED', 'UTILITY', 'GREEN')", (tenant_id,))
        cursor.execute(
            "INSERT INTO message_hours VALUES (%s, %s, 'inbound', 1, 1, 1, 0)", (tenant_id, datetime.now(UTC))
        )
    return Tenant(tenant_id, pool.of_tenant(tenant_id), line_id)


@pytest.fixture(scope="module")
def pair(postgres: str) -> Iterator[tuple[Pool, Tenant, Tenant]]:
    with Pool(postgres, size=2) as pool:
        yield pool, new_tenant(pool), new_tenant(pool)


def tables(pool: Pool, *, guarded: bool) -> list[str]:
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
               AND (relrowsecurity AND relforcerowsecurity) = %s AND relname !~ '^_?yoyo' ORDER BY relname""",
            (guarded,),
        )
        return [row[0] for row in cursor.fetchall()]


def rows(pool: Pool, table: str) -> set[str]:
    with pool.autocommit() as cursor:
        cursor.execute(f"SELECT t::text FROM {table} t")
        return {row[0] for row in cursor.fetchall()}


def test_every_guarded_table_shows_a_tenant_its_own_rows_only(pair: tuple[Pool, Tenant, Tenant]) -> None:
    pool, one, other = pair
    names = tables(pool, guarded=True)
    assert len(names) >= 15
    for name in names:
        everything, own, others = rows(pool, name), rows(one.pool, name), rows(other.pool, name)
        assert own, f"{name}: this test has no row for it"
        assert not own & others, name
        assert own | others <= everything


def test_a_table_without_the_guard_cannot_be_read_at_all(pair: tuple[Pool, Tenant, Tenant]) -> None:
    pool, one, _ = pair
    for name in set(tables(pool, guarded=False)) - SHARED:
        with forbidden():
            rows(one.pool, name)


def test_what_is_anothers_is_out_of_reach_of_every_change(pair: tuple[Pool, Tenant, Tenant]) -> None:
    pool, one, _ = pair
    for name in tables(pool, guarded=True):
        own = len(rows(one.pool, name))
        column = _column(pool, name)
        assert _reached(one.pool, f"UPDATE {name} SET {column} = {column}") in (own, None), name
        assert _reached(one.pool, f"DELETE FROM {name}") in (own, None), name


def test_whoever_is_for_no_line_sees_and_changes_nothing(pair: tuple[Pool, Tenant, Tenant]) -> None:
    """Rights per line: a new table that forgets them shows its rows here."""
    pool, one, _ = pair
    nobody = pool.of_tenant(one.id, [])
    for name in set(tables(pool, guarded=True)) - ALL_LINES_NEED:
        assert rows(nobody, name) == set(), name
        column = _column(pool, name)
        assert _reached(nobody, f"UPDATE {name} SET {column} = {column}") in (0, None), name
        assert _reached(nobody, f"DELETE FROM {name}") in (0, None), name


def test_whoever_is_for_a_line_sees_its_rows_and_nothing_that_is_the_tenants(pair: tuple[Pool, Tenant, Tenant]) -> None:
    pool, one, other = pair
    limited = pool.of_tenant(one.id, [one.line_id, other.line_id])
    seen = {name for name in tables(pool, guarded=True) if rows(limited, name)}
    for name in seen:
        assert rows(limited, name) == rows(one.pool, name)
    assert seen >= {"lines", "conversation_mappings", "message_tracking", "message_attempts", "message_events"}
    assert not seen & {"users", "api_keys", "sessions", "audit_log", "endpoints", "endpoint_events", "message_hours"}


def test_whoever_is_for_a_line_writes_no_row_of_another_one(pair: tuple[Pool, Tenant, Tenant]) -> None:
    pool, one, _ = pair
    limited = pool.of_tenant(one.id, [str(uuid4())])
    with forbidden(), limited.transaction() as cursor:
        cursor.execute(
            """INSERT INTO conversation_mappings (id, tenant_id, line_id, genesys_address, shard)
               VALUES (%s, %s, %s, 'x', 0)""",
            (str(uuid4()), one.id, one.line_id),
        )
    with limited.transaction() as cursor:  # but what they do is written down
        cursor.execute("INSERT INTO audit_log (tenant_id, actor, action) VALUES (%s, 'x', 'x')", (one.id,))
        cursor.connection.rollback()


def _reached(pool: Pool, statement: str) -> int | None:
    """How many rows it would touch, or None where the tenant may not do this at all (or other rows need these)."""
    try:
        with pool.transaction() as cursor:
            cursor.execute(statement)
            count = int(cursor.rowcount)
            cursor.connection.rollback()
            return count
    except psycopg2.errors.ForeignKeyViolation:
        return None
    except DatabaseError as error:
        if error.kind != "refused":
            raise
        return None


def test_a_row_cannot_be_given_to_another_tenant(pair: tuple[Pool, Tenant, Tenant]) -> None:
    _, one, other = pair
    with forbidden(), one.pool.transaction() as cursor:
        cursor.execute("UPDATE conversation_mappings SET tenant_id = %s", (UUID(other.id),))
    with forbidden(), one.pool.transaction() as cursor:
        cursor.execute("INSERT INTO audit_log (tenant_id, actor, action) VALUES (%s, 'x', 'x')", (UUID(other.id),))


def test_a_tenants_provider_cannot_be_tied_to_anothers_user(pair: tuple[Pool, Tenant, Tenant]) -> None:
    """Not even by the owner of the tables: the row itself is impossible."""
    pool, one, other = pair
    for place in (other.id, None):
        role: users.Role = "operator" if place is None else "admin"
        user = users.create(pool, BY, place, f"{uuid4().hex}@x.example", "A", role, "x")
        with pytest.raises(psycopg2.errors.ForeignKeyViolation), pool.transaction() as cursor:
            cursor.execute("INSERT INTO openid_identities VALUES (%s, %s, 'x', %s)", (user.id, one.id, uuid4().hex))


def test_the_limit_ends_with_the_transaction(pair: tuple[Pool, Tenant, Tenant]) -> None:
    """One connection serves tenants and the relay itself in turn."""
    pool, one, other = pair
    for _ in range(3):
        assert rows(one.pool, "tenants") != rows(other.pool, "tenants")
        assert len(rows(pool, "tenants")) >= 2
        with pytest.raises(psycopg2.errors.DivisionByZero), one.pool.transaction() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert len(rows(pool, "tenants")) >= 2


def _column(pool: Pool, table: str) -> str:
    with pool.autocommit() as cursor:
        cursor.execute(
            """SELECT column_name FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'
               ORDER BY ordinal_position LIMIT 1""",
            (table,),
        )
        return str(cursor.fetchone()[0])
