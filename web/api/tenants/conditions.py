"""What is wrong with a tenant's lines and what was, and what the scheduled checks of a line found."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Response
from pydantic import BaseModel, Field

from db.conditions import standing
from db.conditions.standing import ListedCondition
from db.paging import CursorError
from db.tenants import check_runs
from db.tenants.check_runs import CheckRun
from web.api.blueprint import behind_a_key
from web.api.messages.schemas import Before, Limit
from web.api.messages.tracking import not_a_page
from web.api.tenants.schemas import FindingOut, LinePath, RequestModel, TenantPath
from web.api.tenants.setup import known_tenant, line_of
from web.request.context import pool, reply
from web.request.principal import needs

api = behind_a_key("conditions", __name__, "tenants", "/api/tenants")


class ConditionQuery(RequestModel):
    limit: Limit = 50
    before: Before | None = None


class ConditionOut(BaseModel):
    id: int
    kind: str = Field(description="as in docs/notifications.md")
    line_id: str | None
    subject: str = Field(description="what it is about beside the line, such as a template's name; often empty")
    detail: str = Field(description="what was found, in words")
    begun_at: datetime
    over_at: datetime | None = Field(description="null: it holds")


class ConditionList(BaseModel):
    open: list[ConditionOut] = Field(
        description="what holds now, the oldest first, 200 at most; on the first page only"
    )
    items: list[ConditionOut] = Field(description="what is over, the newest first; kept for 30 days")
    next: str | None = Field(description="pass it as `before` for the next page; null at the end")


class CheckRunOut(BaseModel):
    begun_at: datetime
    at: datetime = Field(description="of the last check that found the same")
    times: int = Field(description="so many checks in a row found this")
    worst: Literal["ok", "warning", "refused"]
    looked: int = Field(description="so many things were looked at; the findings are those that are not in order")
    findings: list[FindingOut]


class CheckRunList(BaseModel):
    items: list[CheckRunOut]


@api.get("/<uuid:tenant_id>/conditions", summary="What is wrong, and what was", responses={200: ConditionList})
@needs("tenants:read", per_line=True)
def list_conditions(path: TenantPath, query: ConditionQuery) -> Response:
    """The same that people are told of by e-mail and webhook: refused credentials, backlogs, paused templates.

    Looked at every half minute. What comes and goes within minutes is one condition.
    """
    tenant_id = known_tenant(path).id
    try:
        past = standing.past(pool(), tenant_id, query.before, query.limit)
    except CursorError as error:
        raise not_a_page(error) from error
    now = standing.open_ones(pool(), tenant_id) if query.before is None else []
    return reply(
        ConditionList(open=list(map(_condition, now)), items=list(map(_condition, past.items)), next=past.next)
    )


@api.get(
    "/<uuid:tenant_id>/lines/<uuid:line_id>/checks",
    summary="What scheduled checks of a line found",
    responses={200: CheckRunList},
)
@needs("tenants:read", per_line=True)
def list_check_runs(path: LinePath) -> Response:
    """The newest first, 60 at most, for 90 days. A live line is checked every six hours, every
    hour while a provider says no, and soon after news of its account.
    """
    _, line_id = line_of(path)
    found = check_runs.of_lines(pool(), [line_id], check_runs.KEPT).get(line_id, [])
    return reply(CheckRunList(items=list(map(_run, found))))


def _condition(one: ListedCondition) -> ConditionOut:
    return ConditionOut(
        id=one.id,
        kind=one.kind,
        line_id=one.line_id,
        subject=one.subject,
        detail=one.detail,
        begun_at=one.begun_at,
        over_at=one.over_at,
    )


def _run(one: CheckRun) -> CheckRunOut:
    return CheckRunOut(
        begun_at=one.begun_at,
        at=one.at,
        times=one.times,
        worst=one.worst,  # type: ignore[arg-type]
        looked=one.looked,
        findings=[FindingOut.model_validate(found) for found in one.findings],
    )
