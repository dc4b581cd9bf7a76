"""What the API takes and gives about users, keys and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from web.api.messages.schemas import Before, Limit, ResponseModel
from web.api.tenants.schemas import Moment, Name, RequestModel, TenantPath
from web.request.principal import SCOPES


def _scope(value: str) -> str:
    if value not in SCOPES:
        raise ValueError(f"is no scope; there are {', '.join(SCOPES)}")
    return value


Scope = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": list(SCOPES)})]
Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ada.brandt@nordwind.example"])]
Status = Literal["active", "disabled"]
TenantRole = Literal["admin", "viewer"]
NEXT = "pass it as `after` for the next page; null at the end"


class ForLines(RequestModel):
    line_ids: list[UUID] | None = Field(
        None, max_length=500, description="these lines only, and nothing that is the tenant's as a whole; null: all"
    )

    @property
    def lines(self) -> list[str] | None:
        return None if self.line_ids is None else [str(one) for one in self.line_ids]


class UserPath(BaseModel):
    user_id: UUID


class TenantUserPath(TenantPath, UserPath):
    pass


class NewOperator(RequestModel):
    email: Email
    name: Name


class NewUser(NewOperator, ForLines):
    role: TenantRole


class OperatorChange(RequestModel):
    """What is left out stays as it is."""

    name: Name | None = None
    status: Status | None = None


class UserChange(OperatorChange, ForLines):
    role: TenantRole | None = None


class SecondFactorDemand(RequestModel):
    demanded: bool = Field(description="true: whoever has no second factor gets no further than its set-up")


class UserOut(ResponseModel):
    id: str
    tenant_id: str | None
    email: str
    name: str
    role: Literal["operator", "admin", "viewer"]
    status: Status
    line_ids: list[str] | None = Field(description="the lines that they are for; null: all")
    must_change: bool = Field(description="the password has to be changed at the next log-in")
    password_until: datetime | None = Field(description="a password given by somebody else ends then; null: their own")
    second_factor: bool = Field(description="the log-in takes a code of an authenticator app, too")
    locked_until: datetime | None = Field(
        description="after many wrong passwords none from an unknown device is looked at before"
    )
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime


class UserWithPassword(UserOut):
    password: str = Field(description="told once, and to be changed at the first log-in")


class UserList(BaseModel):
    items: list[UserOut]
    next: str | None = Field(description=NEXT)


class SessionsEnded(BaseModel):
    ended: int = Field(description="how many browsers were logged out")


class KeyPath(BaseModel):
    key_id: UUID


class TenantKeyPath(TenantPath, KeyPath):
    pass


class NewKey(ForLines):
    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=len(SCOPES), examples=[["messages:send"]])
    expires_at: Moment | None = Field(None, description="left out: in a year; at most two years away")


class KeyOut(ResponseModel):
    id: str
    tenant_id: str | None
    name: str
    hint: str = Field(description="the beginning of the key, to tell keys apart")
    scopes: list[str]
    line_ids: list[str] | None = Field(description="the lines that it is for; null: all")
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    maker: Literal["admin-key", "installation", "key", "user"] = Field(description="what it hangs on, and ends with")
    maker_key: str | None = Field(description="the key that it was made with")
    holds: bool = Field(description="neither it nor anything it hangs on has ended")


class InvitedOut(ResponseModel):
    id: str
    email: str
    name: str


class KeyWithEnding(KeyOut):
    ends_with_it: list[KeyOut] = Field(description="the keys made with it, and with those; the nearest 200")
    people_invited: list[InvitedOut] = Field(description="whom these keys have invited: they stay; the first 100")


class KeyWithSecret(KeyOut):
    key: str = Field(description="the key itself, told once")


class KeyList(BaseModel):
    items: list[KeyOut]
    next: str | None = Field(description=NEXT)


class AuditQuery(RequestModel):
    limit: Limit = 50
    before: Before | None = None


class ExportQuery(RequestModel):
    after: int = Field(0, ge=0, le=2**63 - 1, description="go on after the line with this id")


class EntryOut(ResponseModel):
    id: int
    at: datetime
    tenant_id: str | None
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


class AuditList(BaseModel):
    items: list[EntryOut]
    next: str | None = Field(description="pass it as `before` for the next page; null at the end")
