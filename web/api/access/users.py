"""Users: a tenant's, and the operator's own people. The portal is where they log in."""

from __future__ import annotations

from flask import Response

from db.access import users
from db.tenants import registry
from web.api.access.schemas import (
    NewOperator,
    NewUser,
    OperatorChange,
    SecondFactorDemand,
    SessionsEnded,
    TenantUserPath,
    UserChange,
    UserList,
    UserOut,
    UserPath,
    UserWithPassword,
)
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import ErrorBody, PageQuery, TenantPath
from web.api.tenants.setup import known_tenant, tenant_out
from web.api.tenants.tenant_schemas import TenantOut
from web.request import access
from web.request.access import Unchanged
from web.request.context import changes, pool, reply
from web.request.principal import OPERATOR, by, needs

TENANT = "/<uuid:tenant_id>/users"
TENANT_USER = f"{TENANT}/<uuid:user_id>"
USER = "/<uuid:user_id>"

api = behind_a_key("users", __name__, "users", "/api/tenants")
operators = behind_a_key("operators", __name__, "users", "/api/users")


@api.post(TENANT, summary="Add a user of a tenant", responses={201: UserWithPassword, 409: ErrorBody})
@needs("access:write")
def post_user(path: TenantPath, body: NewUser) -> Response:
    tenant = known_tenant(path)
    return _created(f"/api/tenants/{tenant.id}/users", tenant.id, body, body.role, body.lines)


@api.get(TENANT, summary="List a tenant's users", responses={200: UserList})
@needs("access:read")
def list_users(path: TenantPath, query: PageQuery) -> Response:
    return _list(known_tenant(path).id, query)


@api.get(TENANT_USER, summary="Show a user", responses={200: UserOut})
@needs("access:read")
def get_user(path: TenantUserPath) -> Response:
    return reply(UserOut.model_validate(access.user_of(pool(), known_tenant(path).id, str(path.user_id))))


@api.patch(TENANT_USER, summary="Change a user's name, role, lines or status", responses={200: UserOut, 409: ErrorBody})
@needs("access:write")
def patch_user(path: TenantUserPath, body: UserChange) -> Response:
    """Whoever is disabled, or gets another role or other lines, is logged out, and the keys they made end."""
    given = "line_ids" in body.model_fields_set
    changed = access.change_user(
        pool(),
        known_tenant(path).id,
        str(path.user_id),
        name=body.name,
        role=body.role,
        status=body.status,
        line_ids=body.lines if given else Unchanged.LINES,
    )
    return reply(UserOut.model_validate(changed))


@api.post(f"{TENANT_USER}/password", summary="Give a user a new password", responses={200: UserWithPassword})
@needs("access:write")
def reset_user(path: TenantUserPath) -> Response:
    return _reset(known_tenant(path).id, str(path.user_id))


@api.delete(f"{TENANT_USER}/sessions", summary="Log a user out everywhere", responses={200: SessionsEnded})
@needs("access:write")
def end_user_sessions(path: TenantUserPath) -> Response:
    return reply(SessionsEnded(ended=access.end_sessions(pool(), known_tenant(path).id, str(path.user_id))))


@api.delete(f"{TENANT_USER}/second-factor", summary="Reset a user's second factor", responses={204: None})
@needs("access:write")
def reset_user_factor(path: TenantUserPath) -> Response:
    """For whoever has lost the app and the recovery codes. They are logged out; the password is enough again."""
    return _reset_factor(known_tenant(path).id, str(path.user_id))


@api.put("/<uuid:tenant_id>/second-factor", summary="Demand a second factor", responses={200: TenantOut})
@needs("access:write")
def put_demand(path: TenantPath, body: SecondFactorDemand) -> Response:
    """Of everybody who logs in for the tenant, or leave it to each of them."""
    return reply(tenant_out(registry.demand_second_factor(changes(), by(), known_tenant(path).id, body.demanded)))


@operators.post("", summary="Add an operator", responses={201: UserWithPassword, 409: ErrorBody})
@needs(OPERATOR, scope="access:write")
def post_operator(body: NewOperator) -> Response:
    return _created("/api/users", None, body, "operator")


@operators.get("", summary="List the operators", responses={200: UserList})
@needs(OPERATOR, scope="access:read")
def list_operators(query: PageQuery) -> Response:
    return _list(None, query)


@operators.get(USER, summary="Show an operator", responses={200: UserOut})
@needs(OPERATOR, scope="access:read")
def get_operator(path: UserPath) -> Response:
    return reply(UserOut.model_validate(access.user_of(pool(), None, str(path.user_id))))


@operators.patch(USER, summary="Change an operator's name or status", responses={200: UserOut, 409: ErrorBody})
@needs(OPERATOR, scope="access:write")
def patch_operator(path: UserPath, body: OperatorChange) -> Response:
    """The last active operator cannot be disabled."""
    changed = access.change_user(pool(), None, str(path.user_id), name=body.name, status=body.status)
    return reply(UserOut.model_validate(changed))


@operators.post(f"{USER}/password", summary="Give an operator a new password", responses={200: UserWithPassword})
@needs(OPERATOR, scope="access:write")
def reset_operator(path: UserPath) -> Response:
    return _reset(None, str(path.user_id))


@operators.delete(f"{USER}/sessions", summary="Log an operator out everywhere", responses={200: SessionsEnded})
@needs(OPERATOR, scope="access:write")
def end_operator_sessions(path: UserPath) -> Response:
    return reply(SessionsEnded(ended=access.end_sessions(pool(), None, str(path.user_id))))


@operators.delete(f"{USER}/second-factor", summary="Reset an operator's second factor", responses={204: None})
@needs(OPERATOR, scope="access:write")
def reset_operator_factor(path: UserPath) -> Response:
    """Logged out; the next log-in with the password leads to the set-up of a new one."""
    return _reset_factor(None, str(path.user_id))


def _reset_factor(tenant_id: str | None, user_id: str) -> Response:
    access.reset_second_factor(pool(), tenant_id, user_id)
    return Response(status=204)


def _created(
    base: str, tenant_id: str | None, body: NewOperator, role: users.Role, line_ids: list[str] | None = None
) -> Response:
    user, password = access.invite(pool(), tenant_id, body.email, body.name, role, line_ids)
    response = reply(_told(user, password), 201)
    response.headers["Location"] = f"{base}/{user.id}"
    return response


def _list(tenant_id: str | None, query: PageQuery) -> Response:
    found = users.listed(pool(), tenant_id, query.limit + 1, str(query.after) if query.after else None)
    page = found[: query.limit]
    more = page[-1].id if len(found) > query.limit else None
    return reply(UserList(items=[UserOut.model_validate(one) for one in page], next=more))


def _reset(tenant_id: str | None, user_id: str) -> Response:
    return reply(_told(*access.reset_password(pool(), tenant_id, user_id)))


def _told(user: users.User, password: str) -> UserWithPassword:
    return UserWithPassword(**UserOut.model_validate(user).model_dump(), password=password)
