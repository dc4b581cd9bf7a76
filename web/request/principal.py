"""Who is asking, by key or by session, and what they may do. Every view's right is decided here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from flask import current_app, g, request

from db.access.lineage import Maker
from db.audit import Author
from relay.core.languages import phrase
from web.request.errors import ApiError, request_id

SCOPES = {
    "tenants:read": phrase("see the tenant, its lines and its credentials (secrets masked)"),
    "tenants:write": phrase("change credentials and lines, and go live"),
    "messages:read": phrase("see conversations and messages"),
    "messages:send": phrase("send messages through the API"),
    "events:write": phrase("tell the relay what happened to conversations at Genesys"),
    "messages:replay": phrase("replay dead letters"),
    "payloads:read": phrase("see messages as the providers sent them"),
    "contacts:erase": phrase("erase a person for good, and see whether that is done"),
    "state:write": phrase("make mappings and track messages of other systems"),
    "access:read": phrase("see users and API keys"),
    "access:write": phrase("change users and API keys"),
    "audit:read": phrase("see the audit log"),
    "tokens:read": phrase("fetch access tokens of the providers in clear"),
}
"""What a key can be made for. What only the operator may do takes a scope of its key as well."""

Role = Literal["operator", "admin", "viewer"]
EVERYTHING = frozenset(SCOPES)
# A token in clear is for programs that were given exactly that.
ROLES: dict[Role, frozenset[str]] = {
    "operator": EVERYTHING - {"tokens:read"},
    "admin": EVERYTHING - {"tokens:read"},
    "viewer": frozenset({"tenants:read", "messages:read"}),
}
OF_LINES = frozenset({"tenants:read", "messages:read", "messages:send", "messages:replay", "payloads:read"})
"""All that somebody may who is for some lines only. The others are about the tenant as a whole."""
OPERATOR = "operator"
"""The right of a view that shows or changes what is not one tenant's."""
ANYONE = "anyone"
"""The right of a view for whoever is logged in."""

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Principal:
    """`tenant_id` is set for whoever may see one tenant only; `id` says who it is, for limits and the audit log."""

    kind: Literal["operator", "tenant"]
    id: str
    name: str
    tenant_id: str | None = None
    scopes: frozenset[str] = field(default=frozenset(), repr=False)
    maker: Maker = field(default=Maker(), repr=False)
    """What a key hangs on that this principal makes."""
    session_id: str | None = None
    """Of a person: the browser in which they work."""
    line_ids: tuple[str, ...] | None = None
    """For these lines only; None: for all, and for what is the tenant's as a whole."""

    def __post_init__(self) -> None:
        if self.line_ids is not None:
            object.__setattr__(self, "scopes", self.scopes & OF_LINES)

    def may(self, right: str) -> bool:
        if right == ANYONE:
            return True
        return self.kind == "operator" if right == OPERATOR else right in self.scopes


def needs(
    right: str, *, scope: str | None = None, per_line: bool = False, without_consent: bool = False
) -> Callable[[View], View]:
    """Marks a view with the scope it takes, with OPERATOR, or with ANYONE. A view without a mark admits nobody.

    `scope`: what it takes beside that. Every view of the API for OPERATOR names one: a key may only what it is for.
    `per_line`: it admits who is for some lines only, too. It reads and writes through `pool()` or `tenant_pool()`
    alone, where PostgreSQL has no other lines for them. `without_consent`: an operator gets in without the tenant's
    consent (`web.request.consent`): nothing that people wrote is shown.
    """
    if right not in EVERYTHING | {OPERATOR, ANYONE} or (scope is not None and scope not in EVERYTHING):
        raise ValueError(f"there is no scope {right} or {scope}")

    def mark(view: View) -> View:
        view.right = right  # type: ignore[attr-defined]
        view.scope = scope  # type: ignore[attr-defined]
        view.without_consent = without_consent  # type: ignore[attr-defined]
        view.per_line = per_line or right == ANYONE  # type: ignore[attr-defined]
        return view

    return mark


def right_of(endpoint: str | None) -> str | None:
    """What the view asks for, or None when it is not marked."""
    view = current_app.view_functions.get(endpoint or "")
    return getattr(view, "right", None)


def scope_of(endpoint: str | None) -> str | None:
    """What the view asks for beside its right, or None."""
    return getattr(current_app.view_functions.get(endpoint or ""), "scope", None)


def per_line(endpoint: str | None) -> bool:
    """Whether the view admits who is for some lines only."""
    return bool(getattr(current_app.view_functions.get(endpoint or ""), "per_line", False))


def check_right() -> None:
    """Runs before every view of API and portal, once the principal is known. Raises ApiError 403."""
    right = right_of(request.endpoint)
    if right is not None and principal().may(right):
        right = scope_of(request.endpoint)
        if right is None or principal().may(right):
            if principal().line_ids is None or per_line(request.endpoint):
                return
            raise ApiError(403, "all_lines_needed", "this takes rights for all lines; yours are for some of them")
    if right == OPERATOR:
        raise ApiError(403, "forbidden", "only the operator may do this")
    raise ApiError(403, "forbidden", f"this needs the right {right or 'of nobody'}, which is not among yours")


def principal() -> Principal:
    found: Principal = g.principal
    return found


def by() -> Author:
    """The principal as audit_log names it: keys may share a name, so theirs ends in a part of the id."""
    asking = principal()
    # Ids begin with the time they were made at; their end is what differs.
    actor = f"{asking.name} ({asking.id[-8:]})" if asking.id.startswith("key:") else asking.name
    agent = request.user_agent.string if asking.id.startswith("user:") else ""
    return Author(actor, request_id(), asking.maker, agent, asking.session_id, asking.kind == "operator")


def admit(tenant_id: str) -> str:
    """The tenant of a path. Somebody else's tenant does not exist: ApiError 404."""
    own = principal().tenant_id
    if own is not None and own != tenant_id:
        g.foreign_tenant = tenant_id
        raise ApiError(404, "not_found", "there is no such tenant")
    return tenant_id
