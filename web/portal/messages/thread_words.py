"""Who answers a customer at WhatsApp, in words for pages."""

from __future__ import annotations

from datetime import UTC, datetime

from relay.core.threads import ThreadFact
from web.portal.frame.blueprint import portal
from web.portal.frame.language import _, _l

STATES = {
    "owned": _l("this line"),
    "elsewhere": _l("another responder"),
    "idle": _l("nobody: the next message decides"),
    "unknown": _l("not known: nothing was heard for a day"),
}
ROLES = {
    "customer_service": _l("customer service"),
    "marketing": _l("marketing"),
    "utility": _l("utility messages"),
    "ctwa": _l("ads"),
    "ai_agent": _l("AI agent"),
    "escalation": _l("escalation partner"),
}


@portal.app_template_filter("thread_words")
def thread_words(thread: ThreadFact) -> str:
    if thread.state == "unknown" and thread.since is None:
        return str(_("not known: nothing was heard yet"))
    role = f" ({ROLES.get(thread.role, thread.role)})" if thread.role else ""
    return f"{STATES[thread.state]}{role}"


@portal.app_template_filter("thread_since")
def thread_since(thread: ThreadFact) -> datetime | None:
    return None if thread.since is None else datetime.fromtimestamp(thread.since, UTC)
