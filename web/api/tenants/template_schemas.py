"""What the API tells of a tenant's templates."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from web.api.messages.sending_templates import TemplateRequest
from web.api.tenants.schemas import LinePath, RequestModel

Word = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9_]*$")]


class TemplatePath(LinePath):
    name: Annotated[str, Field(max_length=512, pattern=r"^[a-z0-9_]+$")]


class TemplateQuery(RequestModel):
    """Meta's words, as they stand in the list; left out: all."""

    status: Word = ""
    category: Word = ""
    quality: Word = ""
    language: Word = ""
    q: Word = Field("", description="a part of the name")
    limit: int = Field(50, ge=1, le=200)
    after: Annotated[str, Field(max_length=800)] | None = Field(None, description="the `next` of the page before")


class TemplateOut(BaseModel):
    name: str
    language: str
    status: str = Field(description="Meta's word: APPROVED, PAUSED, REJECTED, ...")
    category: str = Field(description="UTILITY, MARKETING, AUTHENTICATION; UNKNOWN until Meta has described it")
    quality: str = Field(description="GREEN, YELLOW, RED, UNKNOWN")
    reason: str = Field(description="why Meta refused it, in its word")
    next_category: str = Field(description="what Meta will make of its category, or thinks it should be")
    template_id: str
    shape: dict[str, Any] | None = Field(
        description="what it is made of: body, header, footer, buttons, cards, offer; null until Meta has described it"
    )


class TemplateListOut(BaseModel):
    items: list[TemplateOut]
    next: str | None = Field(description="pass it as `after` for the next page; null at the end")
    fetched_at: datetime | None = Field(description="when Meta's whole list was read last")
    trouble: str | None = Field(description="why Meta's answer could not be had, the last time")


class TemplateNewsOut(BaseModel):
    language: str
    at: datetime
    kind: str
    text: str
    advice: str


class TemplateDetail(BaseModel):
    languages: list[TemplateOut]
    news: list[TemplateNewsOut] = Field(description="what Meta told of it, the newest first, ten of each language")


class TemplateRead(BaseModel):
    count: int
    fetched_at: datetime | None
    trouble: str | None = Field(description="null: Meta's whole list was read")


class TemplateToCheck(RequestModel):
    template: TemplateRequest


class MistakeOut(BaseModel):
    where: str = Field(description="name, language, parameters, header, urls, buttons, cards or offer_ends")
    text: str


class TemplateChecked(BaseModel):
    listed: bool = Field(description="false: the relay does not know the template, and Meta decides")
    mistakes: list[MistakeOut]
