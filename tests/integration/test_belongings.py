"""db/tenants/belongings.py names every table with rows of tenants, as the database has them now."""

from __future__ import annotations

import re

import pytest

from db.pool import Pool
from db.tenants.belongings import BELONGINGS, ONES_OF_ALL, Belonging
from tests.integration.test_data_doc import DOCS, OF_YOYO, first_cells
from tests.integration.test_row_level_security import new_tenant

SECRET = re.compile(r"sealed|hash|secret|digest|webhook_key|login_key|totp")
UNFILLED = {"parked_receipts", "unknown_lines", "unknown_quotas", "idempotency_keys", "emergency_passwords"}
"""By `new_tenant`."""
SHOWN = {("erasures", "digest"), ("audit_log", "hash")}
"""Keyed, and meant to be seen; and a line's own place in the chain."""


def columns(pool: Pool, table: str) -> list[str]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,))
        return [row[0] for row in cursor.fetchall()]


def test_every_table_is_a_tenants_or_says_that_it_is_not(pool: Pool) -> None:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = {row[0] for row in cursor.fetchall() if not OF_YOYO.match(row[0])}
    named = [one.table for one in BELONGINGS]
    assert len(set(named)) == len(named)
    assert {*named} | ONES_OF_ALL == tables
    assert {*named} & ONES_OF_ALL == set()


def test_the_documents_say_what_the_export_leaves_out() -> None:
    assert first_cells(DOCS / "exports.md", "A tenant") == {one.table for one in BELONGINGS if one.not_exported}


@pytest.mark.parametrize("one", BELONGINGS, ids=lambda one: one.table)
def test_what_is_exported_hides_every_secret_and_only_columns_that_there_are(pool: Pool, one: Belonging) -> None:
    found = columns(pool, one.table)
    assert {*one.hidden, *one.key} <= {*found}
    assert (
        one.not_exported
        or [name for name in found if SECRET.search(name) and name not in one.hidden and (one.table, name) not in SHOWN]
        == []
    )


def test_each_finds_the_rows_of_a_tenant_and_no_others(pool: Pool) -> None:
    own, other = new_tenant(pool), new_tenant(pool)
    for one in BELONGINGS:
        if one.table in (
            "parked_receipts",
            "unknown_lines",
            "unknown_quotas",
            "idempotency_keys",
            "emergency_passwords",
        ):
            continue  # which new_tenant does not fill
        with pool.autocommit() as cursor:
            counts = []
            for tenant in (own, other):
                cursor.execute(f"SELECT count(*) FROM {one.table} WHERE {one.whose}", {"tenant": tenant.id})
                counts.append(cursor.fetchone()[0])
        assert counts[0] == counts[1], one.table
        assert counts[0] >= 1, one.table
