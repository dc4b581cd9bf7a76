"""The approved templates of a line's WhatsApp account: listed, read anew, and looked at as they are filled in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from flask import Response

from db.paging import CursorError
from db.tenants import templates
from db.tenants.changes import NotFoundError
from db.tenants.templates import TemplateFilter
from relay.core.templates.listed import ListedTemplate
from relay.core.templates.news import TemplateNews, in_words
from web.actions.templates import found_wrong, read_anew
from web.api.blueprint import behind_a_key
from web.api.tenants.schemas import ErrorBody, LinePath
from web.api.tenants.setup import line_of
from web.api.tenants.template_schemas import (
    MistakeOut,
    TemplateChecked,
    TemplateDetail,
    TemplateListOut,
    TemplateNewsOut,
    TemplateOut,
    TemplatePath,
    TemplateQuery,
    TemplateRead,
    TemplateToCheck,
)
from web.request.context import pool, reply
from web.request.errors import wrong_field
from web.request.principal import needs

api = behind_a_key("templates", __name__, "tenants", "/api/tenants")
PATH = "/<uuid:tenant_id>/lines/<uuid:line_id>/templates"


@api.get(PATH, summary="The templates of a line's account", responses={200: TemplateListOut})
@needs("tenants:read", per_line=True)
def list_templates(path: LinePath, query: TemplateQuery) -> Response:
    """As Meta listed them last, with what its webhooks told since; by name and language."""
    tenant_id, _ = line_of(path)
    wanted = TemplateFilter(**query.model_dump(include=set(TemplateFilter.__slots__)))
    try:
        found = templates.listed(pool(), tenant_id, wanted, query.after, query.limit)
    except CursorError as error:
        raise wrong_field("after", str(error)) from error
    standing = templates.standing(pool(), tenant_id)
    return reply(
        TemplateListOut(
            items=list(map(_out, found.items)),
            next=found.next,
            fetched_at=standing.fetched_at if standing else None,
            trouble=standing.trouble if standing else None,
        )
    )


@api.get(f"{PATH}/<name>", summary="A template in all its languages", responses={200: TemplateDetail})
@needs("tenants:read", per_line=True)
def get_template(path: TemplatePath) -> Response:
    """What each is made of, and what Meta told of it lately, in words."""
    tenant_id, _ = line_of(path)
    found = templates.of_name(pool(), tenant_id, path.name)
    if not found:
        raise NotFoundError("there is no such template in the list")
    news = [one for each in found for one in templates.news(pool(), tenant_id, path.name, each.language)]
    newest = sorted(news, key=lambda one: one.at, reverse=True)
    return reply(TemplateDetail(languages=list(map(_out, found)), news=list(map(_told, newest))))


@api.post(f"{PATH}/read", summary="Read the templates from Meta now", responses={200: TemplateRead, 409: ErrorBody})
@needs("tenants:write")
def read_templates(path: LinePath) -> Response:
    """The relay does so by itself every hour, and when Meta tells of a change. 409: it was done a moment ago."""
    tenant_id, line_id = line_of(path)
    trouble = read_anew(pool(), tenant_id, line_id)
    standing = templates.standing(pool(), tenant_id)
    fetched_at, count = (standing.fetched_at, standing.count) if standing else (None, 0)
    return reply(TemplateRead(count=count, fetched_at=fetched_at, trouble=trouble))


@api.post(f"{PATH}/check", summary="Look at a filled-in template without sending it", responses={200: TemplateChecked})
@needs("messages:send", per_line=True)
def check_template(path: LinePath, body: TemplateToCheck) -> Response:
    """The same look that POST /whatsapp/send takes, each mistake a sentence that names the place to fill in."""
    tenant_id, _ = line_of(path)
    found = found_wrong(pool(), tenant_id, body.template.canonical, body.template.file)
    listed = bool(templates.of_name(pool(), tenant_id, body.template.name))
    return reply(TemplateChecked(listed=listed, mistakes=[MistakeOut(where=one.where, text=one.text) for one in found]))


def _out(one: ListedTemplate) -> TemplateOut:
    return TemplateOut.model_validate(asdict(one))


def _told(one: TemplateNews) -> TemplateNewsOut:
    words = in_words(one)
    at = datetime.fromtimestamp(one.at, UTC)
    return TemplateNewsOut(language=one.language, at=at, kind=one.kind, text=words.text, advice=words.advice)
