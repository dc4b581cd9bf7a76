"""Asking Genesys for what its agents wrote while nobody took its webhooks."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response

from db.tenants import catch_ups, onboarding
from db.tenants.changes import NotFoundError
from relay.core.catch_up import CatchUp
from relay.core.explain.catching_up import told
from web.api.access import auth
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import CatchUpOut, CatchUpWish, ErrorBody, LinePath
from web.api.tenants.setup import known_tenant
from web.request.context import changes, pool, reply
from web.request.principal import needs

api = behind_a_key("catching_up", __name__, "tenants", "/api/tenants")


@api.get(
    "/<uuid:tenant_id>/lines/<uuid:line_id>/catch-up",
    summary="How catching up with a line stands",
    responses={200: CatchUpOut},
)
@needs("tenants:read", per_line=True, without_consent=True)
def how_it_stands(path: LinePath) -> Response:
    """What is wanted, what is under way, and what the newest one came to; all null where there never was one."""
    line_id = _line_of(path)
    return reply(_out(line_id, catch_ups.of_line(pool(), line_id)))


@api.post(
    "/<uuid:tenant_id>/lines/<uuid:line_id>/catch-up",
    summary="Have a line caught up with",
    responses={202: CatchUpOut, 409: ErrorBody},
)
@needs("tenants:write")
def catch_up(path: LinePath, body: CatchUpWish) -> Response:
    """A daemon asks Genesys what its side wrote in the last `hours`, and relays what never came here, in order, once.

    After an absence the relay does so by itself. 409: it is wanted or under way already; asking again changes nothing.
    """
    line_id = _line_of(path)
    catch_ups.want(changes(), auth.by(), str(path.tenant_id), line_id, body.hours * 3600)
    return reply(_out(line_id, catch_ups.of_line(pool(), line_id)), 202)


def _line_of(path: LinePath) -> str:
    tenant = known_tenant(path)
    if not any(one.id == str(path.line_id) for one in onboarding.listed(pool(), tenant.id)):
        raise NotFoundError("there is no such line")
    return str(path.line_id)


def _out(line_id: str, found: CatchUp | None) -> CatchUpOut:
    if found is None:
        return CatchUpOut(line_id=line_id, at_work=False, text="was never caught up with")
    return CatchUpOut.model_validate({**asdict(found), "text": told(found)})
