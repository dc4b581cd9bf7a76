"""`relay users`: for the operator who stands before a portal that nobody can log in to yet, or any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

from conf.settings import Settings
from db.access import guesses, password_rules, passwords, second_factor, users
from db.access.users import Role, User
from db.audit import Author
from db.pool import Pool
from db.tenants import registry
from db.tenants.changes import NotFoundError
from relay.cli.speaking import NotNowError

BY = Author("command line")
PAGE = 500


def add(settings: Settings, email: str, name: str | None, tenant_id: str | None, role: str | None) -> tuple[User, str]:
    """The user, and the password to tell once. Raises NotNowError, NotFoundError, TakenError."""
    try:
        address = users.address(email)
    except ValueError as error:
        raise NotNowError(f"{email} {error}") from None
    password = passwords.generated()
    with Pool(settings.database_url, size=1) as pool:
        if tenant_id is not None and registry.get(pool, tenant_id) is None:
            raise NotFoundError(f"there is no tenant {tenant_id}")
        shown = name or address.partition("@")[0]
        hashed = passwords.hashed(password)
        return users.create(pool, BY, tenant_id, address, shown, cast(Role, role or "operator"), hashed), password


def unlock(settings: Settings, email: str) -> User:
    """Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        user = _known(pool, email)
        guesses.unlock(pool, BY, user)
    return user


def emergency(settings: Settings, email: str) -> tuple[User, str]:
    """The user, and a new password to tell once: it admits for an hour, whatever is switched off.

    Raises NotFoundError.
    """
    password = passwords.generated()
    with Pool(settings.database_url, size=1) as pool:
        user = _known(pool, email)
        users.set_password(pool, BY, user, passwords.hashed(password), must_change=False)
        password_rules.let_in(pool, BY, user)
    return user, password


def new_password(settings: Settings, email: str) -> tuple[User, str]:
    """The user, and the password to tell once. Every browser of theirs is logged out. Raises NotFoundError."""
    password = passwords.generated()
    with Pool(settings.database_url, size=1) as pool:
        user = _known(pool, email)
        users.set_password(pool, BY, user, passwords.hashed(password), must_change=True)
    return user, password


def reset_second_factor(settings: Settings, email: str) -> User:
    """Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        user = _known(pool, email)
        second_factor.remove(pool, BY, user)
    return user


def _known(pool: Pool, email: str) -> User:
    user = users.by_email(pool, email)
    if user is None:
        raise NotFoundError(f"there is no user {email}")
    return user


def lines(settings: Settings) -> Iterator[str]:
    """One line per user, by age."""
    with Pool(settings.database_url, size=1) as pool:
        after = None
        while page := users.everyone(pool, PAGE, after):
            yield from map(_line, page)
            after = page[-1].id


def _line(user: User) -> str:
    locked = user.locked_until is not None and user.locked_until > datetime.now(UTC)
    status = "locked" if locked else "expired" if user.password_over else user.status
    factor = "second factor" if user.second_factor else "password only"
    return f"{user.email:<40} {user.role:<9} {status:<9} {factor:<14} {user.tenant_id or '-'}"
