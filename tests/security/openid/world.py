"""What the tests of providers ask of the database, and a tenant that has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from db.access import passwords, users
from db.access.users import User
from db.pool import Pool
from tests.portal.client import BY, PASSWORD, TOKEN


@dataclass
class Tenant:
    id: str
    key: str
    domain: str

    def address(self, name: str) -> str:
        return f"{name}@{self.domain}"


NewTenant = Callable[..., Tenant]


def new_user(pool: Pool, email: str, role: users.Role, tenant_id: str | None) -> User:
    return users.create(pool, BY, tenant_id, email, "Somebody", role, passwords.hashed(PASSWORD))


def everybody(pool: Pool) -> dict[str, tuple[Any, ...]]:
    return {one.email: (one.id, one.tenant_id, one.role, one.status) for one in users.everyone(pool)}


def refusals(pool: Pool) -> list[Any]:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT detail->>'reason' FROM audit_log WHERE action = 'login.refused' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def token_of(page: str) -> str:
    """What its form has to bring back."""
    found = TOKEN.search(page)
    assert found, page
    return next(filter(None, found.groups()))
