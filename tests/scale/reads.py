"""Everything that is read about conversations and messages, as it is asked for; one line each.

Whoever adds a list adds a line: `make scale` measures it, and the plans are checked in every test run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from db.mailbox import dead_letters, notices
from db.pool import Pool
from db.tenants import templates, unknown_lines
from db.tenants.templates import TemplateFilter
from db.views import audit_search, figures, history, line_health, measures, overview, prices, search, waiting
from db.views.history import MessageSelection
from db.views.search import ConversationSearch
from relay.core.explain.reasons import Terms
from tests.scale.generate import conversation_id, line_id, tenant_id

LARGEST = tenant_id(0)
BUSY = conversation_id(0)
QUIET_LINE = line_id(2)
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
THIS_MONTH = NOW.date().replace(day=1)
# How messages wait is told without Redis.
TERMS = Terms()

Read = Callable[[Pool], Any]


def messages(**wanted: Any) -> Read:
    return lambda pool: history.listed(pool, MessageSelection(LARGEST, **wanted)).items


def next_messages(**wanted: Any) -> Read:
    return lambda pool: (
        history.listed(
            pool,
            MessageSelection(
                LARGEST, **wanted, before=history.listed(pool, MessageSelection(LARGEST, **wanted), 20).next
            ),
        ).items
    )


def found(**wanted: Any) -> Read:
    return lambda pool: search.listed(pool, ConversationSearch(LARGEST, **wanted)).items


def next_found(**wanted: Any) -> Read:
    return lambda pool: (
        search.listed(
            pool,
            ConversationSearch(
                LARGEST, **wanted, before=search.listed(pool, ConversationSearch(LARGEST, **wanted), 20).next
            ),
        ).items
    )


def a_message(pool: Pool) -> str:
    return history.listed(pool, MessageSelection(LARGEST, states=["read"]), 1).items[0].id


def a_waiting_one(pool: Pool) -> str:
    return history.listed(pool, MessageSelection(LARGEST, line_id=line_id(1), states=["received"]), 1).items[0].id


OF_A_TENANT: dict[str, Read] = {
    "templates": lambda pool: templates.listed(pool, LARGEST, TemplateFilter(status="APPROVED", q="order")).items,
    "what templates are filtered by": lambda pool: templates.choices(pool, LARGEST),
    "messages": messages(),
    "messages, second page": next_messages(),
    "messages, one state": messages(states=["failed"]),
    "messages, all states": messages(states=["received", "sent", "delivered", "read", "failed", "dead", "unknown"]),
    "messages, a state that none has": messages(states=["record"]),
    "messages, a state of the other direction": messages(states=["read"], direction="inbound"),
    "messages, one direction": messages(direction="outbound"),
    "messages, a quiet line": messages(line_id=QUIET_LINE),
    "messages, state of a quiet line": messages(line_id=QUIET_LINE, states=["dead"]),
    "messages, one day": messages(since=NOW - DAY * 20, until=NOW - DAY * 19),
    "messages, before all": messages(until=NOW - DAY * 60),
    "messages, a conversation": messages(conversation_id=BUSY),
    "messages, a conversation's dead ones": messages(conversation_id=BUSY, states=["dead"]),
    "messages, source id": messages(reference="source.500000"),
    "messages, provider's id": messages(reference="provider.500001"),
    "messages, a number's beginning": messages(q="+49 1500 0"),
    "messages, everybody's beginning": messages(q="4"),
    "conversations": found(),
    "conversations, second page": next_found(),
    "conversations, a quiet line": found(line_id=QUIET_LINE),
    "conversations, lately active": found(active_since=NOW - timedelta(hours=1)),
    "conversations, with trouble": found(trouble=True),
    "conversations, everybody's number": found(q="49"),
    "conversations, a number's beginning": found(q="+49 1500 01"),
    "conversations, a first name": found(q="Anna"),
    "conversations, a last word": found(q="meyer12"),
    "conversations, one letter": found(q="a"),
    "conversations, a name that none has": found(q="zzz"),
    "conversations, a user id's beginning": found(q="DE.13"),
    "conversations, an id": found(q=BUSY),
    "conversations, a message's id": found(q="source.500000"),
    "conversations, a name with trouble": found(q="anna", trouble=True),
    "a conversation": lambda pool: search.get(pool, LARGEST, BUSY),
    "a timeline": lambda pool: search.timeline(pool, LARGEST, BUSY).items,
    "a timeline, further back": lambda pool: (
        search.timeline(pool, LARGEST, BUSY, search.timeline(pool, LARGEST, BUSY, limit=20).next).items
    ),
    "a message": lambda pool: history.get(pool, LARGEST, a_message(pool)),
    "a message's raw item": lambda pool: history.payload(pool, LARGEST, a_message(pool)),
    "why a message waits": lambda pool: waiting.of_message(pool, LARGEST, a_waiting_one(pool), TERMS),
    "what is waiting": lambda pool: waiting.of_tenant(pool, LARGEST, TERMS),
    "health of the lines": lambda pool: line_health.of_tenant(pool, LARGEST, TERMS),
    "dead letters": lambda pool: dead_letters.listed(pool, dead_letters.DeadLetterSelection(LARGEST)).items,
    "dead letters, counted": lambda pool: dead_letters.count(pool, dead_letters.DeadLetterSelection(LARGEST)),
    "dead letters, one reason": lambda pool: (
        dead_letters.listed(pool, dead_letters.DeadLetterSelection(LARGEST, reason_code="x")).items
    ),
    "notices": lambda pool: notices.listed(pool, LARGEST).items,
    "notices, further back": lambda pool: (
        notices.listed(pool, LARGEST, before=notices.listed(pool, LARGEST).next).items
    ),
    "notices, one line": lambda pool: notices.listed(pool, LARGEST, QUIET_LINE).items,
    "audit log": lambda pool: audit_search.listed(pool, audit_search.AuditSearch(LARGEST)).items,
    "prices of a month": lambda pool: prices.of_tenant(pool, LARGEST, THIS_MONTH),
    "prices of a month, one line": lambda pool: prices.of_tenant(pool, LARGEST, THIS_MONTH, QUIET_LINE),
    "dashboard": lambda pool: figures.dashboard(pool, LARGEST, "Europe/Berlin"),
    "dashboard, half an hour off": lambda pool: figures.dashboard(pool, LARGEST, "Asia/Kolkata"),
}

OF_ALL: dict[str, Read] = {
    "overview": overview.overview,
    "prices of a month": lambda pool: prices.of_all(pool, THIS_MONTH),
    "unknown numbers": unknown_lines.listed,
    "figures for metrics": measures.read,
    "tenants": lambda pool: overview.tenants(pool).items,
    "an operator's look at a message": lambda pool: history.get(pool, None, a_message(pool)),
    "an operator's look at a conversation": lambda pool: search.get(pool, None, BUSY),
}
