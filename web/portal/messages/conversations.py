"""Conversations: found by whatever somebody knows of them, and one as a timeline of both directions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template, url_for
from wtforms import BooleanField, DateField, SelectField
from wtforms.validators import Optional

from db.mailbox import ends
from db.mailbox.ends import ListedEnd
from db.paging import CursorError, Page
from db.views import search
from db.views.search import ConversationDetail, ConversationSearch, ConversationSummary
from relay.core.explain.steps import Tracked
from web.portal.frame import filters, time_zone
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.portal.frame.filters import FilterForm
from web.portal.frame.language import _l
from web.portal.lines.line_names import line_choices, line_names
from web.request import data_access
from web.request.errors import ApiError
from web.request.principal import needs


class ConversationFilter(FilterForm):
    q = filters.text(_l("Search"), "Number, name or any id")
    line = SelectField(_l("Line"), default="")
    since = DateField(_l("Active since"), validators=[Optional()])
    trouble = BooleanField(_l("Only with trouble"))


@portal.get("/tenants/<uuid:tenant_id>/conversations")
@needs("messages:read", per_line=True)
def conversations(tenant_id: UUID) -> str:
    data_access.record_once(tenant().id, ("conversations", tenant().id), "conversations.listed")
    lines = line_names()
    form = ConversationFilter()
    form.line.choices = line_choices()
    found = _listed(form) if form.validate() else Page([])
    older = url_for("portal.conversations", tenant_id=tenant_id, before=found.next, **form.chosen)
    return render_template(
        "portal/conversations.html", form=form, found=found.items, lines=lines, older=older if found.next else None
    )


def _listed(form: ConversationFilter) -> Page[ConversationSummary]:
    wanted = ConversationSearch(
        tenant().id,
        q=form.q.data or None,
        line_id=form.line.data or None,
        active_since=time_zone.begin(form.since.data) if form.since.data else None,
        trouble=form.trouble.data,
        before=filters.before(),
    )
    try:
        return search.listed(tenant_pool(), wanted)
    except CursorError as error:
        raise filters.beyond() from error


@portal.get("/tenants/<uuid:tenant_id>/conversations/<uuid:conversation_id>")
@needs("messages:read", per_line=True)
def conversation(tenant_id: UUID, conversation_id: UUID) -> str:
    """The newest messages, or those before `before` where no script loads them."""
    found = known(conversation_id)
    _noted(conversation_id)
    before = filters.before()
    page = _timeline(conversation_id, before)
    shown = _shown(conversation_id, page, before)
    return render_template("portal/conversation.html", found=found, **shown)


@portal.get("/tenants/<uuid:tenant_id>/conversations/<uuid:conversation_id>/timeline")
@needs("messages:read", per_line=True)
def timeline(tenant_id: UUID, conversation_id: UUID) -> str:
    """A part of the page that somebody looks at already: the newest messages, or older ones."""
    known(conversation_id)
    _noted(conversation_id)
    before = filters.before()
    shown = _shown(conversation_id, _timeline(conversation_id, before), before)
    return render_template("portal/fragments/timeline.html", **shown)


def known(conversation_id: UUID) -> ConversationDetail:
    """Of the page's tenant. Raises ApiError 404."""
    found = search.get(tenant_pool(), tenant().id, str(conversation_id))
    if found is None:
        raise ApiError(404, "not_found", "There is no such conversation.")
    return found


def _noted(conversation_id: UUID) -> None:
    data_access.record_once(
        tenant().id, ("conversation", str(conversation_id)), "conversation.viewed", str(conversation_id)
    )


def _timeline(conversation_id: UUID, before: str | None) -> Page[Tracked]:
    try:
        return search.timeline(tenant_pool(), tenant().id, str(conversation_id), before)
    except CursorError as error:
        raise filters.beyond() from error


def _with_ends(conversation_id: UUID, page: Page[Tracked], before: str | None) -> list[Tracked | ListedEnd]:
    """The messages of a page and what ended between them, up to where the page before begins."""
    since = page.items[0].sort_time if page.next and page.items else None
    until = search.begin_of(before) if before is not None else None
    found = ends.listed(tenant_pool(), tenant().id, str(conversation_id), since, until)
    return sorted([*page.items, *found], key=lambda one: one.at if isinstance(one, ListedEnd) else one.sort_time)


def _shown(conversation_id: UUID, page: Page[Tracked], before: str | None) -> dict[str, Any]:
    ids: dict[str, Any] = {"tenant_id": tenant().id, "conversation_id": conversation_id, "before": page.next}
    return {
        "entries": _with_ends(conversation_id, page, before),
        "older": url_for("portal.conversation", **ids) if page.next else None,
        "older_part": url_for("portal.timeline", **ids) if page.next else None,
    }
