"""Who answers a customer at WhatsApp, in words for pages."""

from __future__ import annotations

from datetime import UTC, datetime

from relay.core.threads import ThreadFact
from web.portal.frame.blueprint import portal

STATES = {
    "owned": "this line",
    "elsewhere": "another responder",
    "idle": "nobody: the next message decides",
    "unknown": "not known: nothing was heard for a day",
}
ROLES = {
    "customer_service": "customer service", "marketing": "marketing", "utility": "utility messages", "ctwa": "ads",
    "ai_agent": "AI agent", "escalation": "escalation partner",
}  # fmt: skip


@portal.app_template_filter("thread_words")
def thread_words(thread: ThreadFact) -> str:
    if thread.state == "unknown" and thread.since is None:
        return "not known: nothing was heard yet"
    role = f" ({ROLES.get(thread.role, thread.role)})" if thread.role else ""
    return f"{STATES[thread.state]}{role}"


@portal.app_template_filter("thread_since")
def thread_since(thread: ThreadFact) -> datetime | None:
    return None if thread.since is None else datetime.fromtimestamp(thread.since, UTC)
