"""Users and API keys: what people and programs get in with. For API and portal, within a request.

Nobody hands out a right that he does not have himself. Without a tenant it is about the operator's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from db.access import api_keys, openid, password_rules, second_factor, sessions, users
from db.access.api_keys import ApiKey
from db.access.line_rights import LineIds
from db.access.lineage import DEEPEST, root_digest
from db.access.passwords import generated
from db.access.users import Role, User, UserStatus
from db.pool import Pool
from db.tenants.changes import NotFoundError, TakenError
from web.request import passwords
from web.request.context import web_context
from web.request.errors import ApiError, wrong_field
from web.request.principal import OF_LINES, ROLES, SCOPES, by, principal

ROLES_OF_TENANT: tuple[Role, ...] = ("admin", "viewer")
KEY_DAYS, LONGEST_KEY_DAYS = 365, 730


class Unchanged(Enum):
    """What is to stay as it is, where None says something."""

    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends with a key, or with a person; the people whom those keys have invited stay."""

    keys: list[ApiKey]
    people: list[User]


def invite(
    pool: Pool, tenant_id: str | None, email: str, name: str, role: Role, line_ids: LineIds = None
) -> tuple[User, str]:
    """A new user, and the password to tell once; it has to be changed at the first log-in."""
    may_give(role)
    _fits(tenant_id, role)
    _passwords_admit(pool, tenant_id)
    found, own = address(email), principal().tenant_id
    # Else a tenant could take the addresses of another's people, who would then find no place of their own.
    if own is not None and openid.domain_of_another(web_context().pool, own, found):
        raise users.taken()
    password = generated()
    user = users.create(pool, by(), tenant_id, found, name, role, passwords.hashed(password), line_ids)
    return user, password


def change_user(
    pool: Pool,
    tenant_id: str | None,
    user_id: str,
    *,
    name: str | None = None,
    role: Role | None = None,
    status: UserStatus | None = None,
    line_ids: LineIds | Unchanged = Unchanged.LINES,
    seen: int | None = None,
) -> User:
    """What is None stays as it is; `line_ids` None: all lines.

    `seen`: the `rights_version` that whoever wants this has looked at, None: the newest. Raises as `users.change`.
    """
    former = user_of(pool, tenant_id, user_id)
    may_give(former.role)
    may_give(role or former.role)
    _fits(tenant_id, role or former.role)
    lines = former.line_ids if isinstance(line_ids, Unchanged) else line_ids
    return users.change(
        pool, by(), tenant_id, user_id, name or former.name, role or former.role, status or former.status, lines,
        seen=former.rights_version if seen is None else seen,
    )  # fmt: skip


def reset_password(pool: Pool, tenant_id: str | None, user_id: str) -> tuple[User, str]:
    """A new password to tell once; every browser of the user is logged out."""
    user = user_of(pool, tenant_id, user_id)
    may_give(user.role)
    _passwords_admit(pool, tenant_id)
    password = generated()
    users.set_password(pool, by(), user, passwords.hashed(password), must_change=True)
    return user_of(pool, tenant_id, user_id), password


def reset_second_factor(pool: Pool, tenant_id: str | None, user_id: str) -> None:
    """For whoever has lost app and recovery codes: the password is enough again, every browser is logged out."""
    user = user_of(pool, tenant_id, user_id)
    may_give(user.role)
    second_factor.remove(pool, by(), user)


def end_session(pool: Pool, tenant_id: str | None, user_id: str, session_id: str) -> None:
    """One browser of the user is logged out. Raises NotFoundError."""
    user = user_of(pool, tenant_id, user_id)
    may_give(user.role)
    if not sessions.end_one(pool, by(), user, session_id):
        raise NotFoundError("there is no such browser; it may be logged out already")


def end_sessions(pool: Pool, tenant_id: str | None, user_id: str) -> int:
    """Every browser of the user is logged out. Returns how many there were."""
    user = user_of(pool, tenant_id, user_id)
    may_give(user.role)
    return sessions.end_all(pool, by(), user)


def user_of(pool: Pool, tenant_id: str | None, user_id: str) -> User:
    """Raises NotFoundError."""
    found = users.get(pool, tenant_id, user_id)
    if found is None:
        raise NotFoundError("there is no such user")
    return found


def address(email: str) -> str:
    """As it is compared at the log-in. Raises ApiError 400."""
    try:
        return users.address(email)
    except ValueError as error:
        raise wrong_field("email", str(error), "invalid_email") from None


def make_key(
    pool: Pool,
    tenant_id: str | None,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    line_ids: LineIds = None,
) -> tuple[ApiKey, str]:
    """The key's row, and the key itself to tell once. Without `expires_at` it is good for a year.

    A key that is made with a key ends with it: it never lives longer, nor may more. One for some lines has scopes that
    are about lines.
    """
    wanted, now = frozenset(scopes), datetime.now(UTC)
    if not wanted or wanted - SCOPES.keys():
        raise wrong_field("scopes", "must name some of " + ", ".join(SCOPES))
    _may_hand_out(wanted)
    if line_ids is not None:
        _fit_lines(tenant_id, wanted)
    last = principal().maker.until
    until = expires_at or min(now + timedelta(days=KEY_DAYS), last or datetime.max.replace(tzinfo=UTC))
    if not now < until <= now + timedelta(days=LONGEST_KEY_DAYS):
        raise wrong_field("expires_at", "must lie in the future, and at most two years away")
    if last is not None and until > last:
        raise wrong_field("expires_at", f"must not lie after {last:%Y-%m-%d %H:%M} UTC, when the asking key ends")
    if principal().maker.generation > DEEPEST:
        text = f"more than {DEEPEST} keys stand above this one; make it with a key nearer to the first one"
        raise ApiError(409, "too_many_generations", text)
    return api_keys.create(pool, by(), tenant_id, name, sorted(wanted), until, line_ids)


def ending_with_key(pool: Pool, key_id: str) -> Ending:
    """All that ends when this key is revoked."""
    keys = api_keys.below(pool, key_id)
    return Ending(keys, users.invited_with(pool, [key_id, *(one.id for one in keys)]))


def ending_with_user(pool: Pool, user_id: str) -> Ending:
    """All that ends when this person is disabled or gets another role."""
    keys = api_keys.of_user(pool, user_id)
    return Ending(keys, users.invited_with(pool, [one.id for one in keys]))


def root() -> bytes:
    """By what keys remember the ADMIN_API_KEY that made them."""
    return root_digest(web_context().admin_api_key)


def grantable() -> list[str]:
    """The scopes that the asking principal may hand out, in the order of SCOPES."""
    return [scope for scope in SCOPES if scope in principal().scopes]


def _passwords_admit(pool: Pool, tenant_id: str | None) -> None:
    """Raises TakenError where a new one would open nothing."""
    if not web_context().openid.passwords or (tenant_id is not None and password_rules.forbidden(pool, tenant_id)):
        text = "passwords are switched off here; people get in by the role that they have at the OpenID provider"
        raise TakenError("passwords_forbidden", text)


def _fits(tenant_id: str | None, role: Role) -> None:
    allowed: tuple[Role, ...] = ("operator",) if tenant_id is None else ROLES_OF_TENANT
    if role not in allowed:
        raise wrong_field("role", f"must be {' or '.join(allowed)} here")


def _fit_lines(tenant_id: str | None, wanted: frozenset[str]) -> None:
    if tenant_id is None:
        raise wrong_field("line_ids", "is for keys of a tenant; one of the operator's is for all")
    if wanted - OF_LINES:
        raise wrong_field("scopes", f"of a key for some lines can only be {', '.join(sorted(OF_LINES))}")


def may_give(role: Role) -> None:
    """Raises ApiError 403 where the asking principal lacks one of the role's rights."""
    _may_hand_out(ROLES[role])


def _may_hand_out(scopes: frozenset[str]) -> None:
    missing = sorted(scopes - principal().scopes)
    if missing:
        text = f"nobody gives a right that he does not have himself; you have not {', '.join(missing)}"
        raise ApiError(403, "not_yours_to_give", text)
