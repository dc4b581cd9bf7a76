"""At which line news of a WhatsApp account are told that come to the operator's app: whose it is, Meta has shown."""

from __future__ import annotations

import secrets

import pytest
from cryptography.fernet import Fernet
from psycopg2.extras import Json

from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials
from db.tenants.changes import Changes
from db.tenants.lines import route_of_account
from tests.integration.rows import new_line

CIPHER = Cipher([Fernet.generate_key().decode()])


@pytest.fixture
def account() -> str:
    return str(10**14 + secrets.randbelow(10**14))


def line(pool: Pool, account: str, number: str, listed: str) -> str:
    """An active line whose tenant names `account`; Meta listed the templates of `listed` to it, if that is any."""
    line_id = new_line(pool)
    with pool.transaction() as cursor:
        cursor.execute(
            """UPDATE lines SET status = 'active', phone_number_id = %s, integration_id = %s, settings = %s
               WHERE id = %s RETURNING tenant_id::text""",
            (secrets.token_hex(8), secrets.token_hex(8), Json({"name": f"Bakery, Inc., {number}"}), line_id),
        )
        tenant_id = cursor.fetchone()[0]
        if listed:
            cursor.execute("INSERT INTO template_lists (tenant_id, waba_id) VALUES (%s, %s)", (tenant_id, listed))
    values = {"phone_number_id": "1", "waba_id": account, "access_token": "token"}
    credentials.put(Changes(pool, lambda _: None), CIPHER, Author("test"), tenant_id, "whatsapp", values)
    return line_id


def told_at(pool: Pool, account: str, number: str = "") -> str | None:
    found = route_of_account(pool, CIPHER, account, number)
    return found.line_id if found else None


def test_an_account_is_whose_credentials_name_it_and_to_whom_meta_listed_its_templates(
    pool: Pool, account: str
) -> None:
    line(pool, account, "+1 555-000-9999", "")
    line(pool, account, "+1 555-000-8888", "7")
    line(pool, "7", "+1 555-000-7777", account)
    assert told_at(pool, account) is None, "to say so is not enough, and what was listed before is over"
    own = line(pool, account, "+1 555-000-1111", account)
    assert told_at(pool, account) == told_at(pool, account, "15550001111") == own
    assert told_at(pool, account, "15550002222") == own, "of a number that is no line's"
    assert told_at(pool, "\x00") is None


def test_where_several_tenants_have_it_the_number_decides(pool: Pool, account: str) -> None:
    first, second = (line(pool, account, f"+1 555-000-{one}", account) for one in ("1111", "2222"))
    assert (told_at(pool, account, "15550001111"), told_at(pool, account, "15550002222")) == (first, second)
    assert told_at(pool, account) is told_at(pool, account, "15550003333") is None
