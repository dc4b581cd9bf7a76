"""Our roles on a number where Meta's Conversation Routing is on, read as a finding. No I/O.

Source: M/conversation-routing/routing-roles (5 November 2026). Path and full answer are not documented: an answer that
cannot be read tells nothing, and is no finding.
"""

from __future__ import annotations

from relay.channels.base import Finding
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import first, record
from relay.channels.text import clean
from relay.channels.whatsapp.account import advice
from relay.core.languages import phrase, together

EDGE = "routing_roles"
NAMES = {
    "customer_service": phrase("customer service"),
    "marketing": phrase("answers to marketing templates"),
    "utility": phrase("answers to utility templates"),
    "ctwa": phrase("customers who come by an ad"),
    "ai_agent": phrase("AI agent"),
    "escalation": phrase("escalation partner"),
}
MOST = 20


def findings(answer: HttpResponse | None) -> list[Finding]:
    """Deaf: neither a role nor standby. In standby alone the relay sees copies, and nobody is answered."""
    data = record(answer.data) if answer is not None and answer.status == 200 else {}
    told = data if "roles" in data else first(data.get("data"))
    if not isinstance(told.get("roles"), list):
        return []
    roles = [NAMES.get(name, name) for one in told["roles"][:MOST] if (name := clean(one))]
    standby = told.get("is_standby") is True
    if roles:
        heard = (
            phrase("conversations of others are seen too")
            if standby
            else phrase("conversations of others are not seen")
        )
        text = phrase(
            "our roles where conversations are routed: %(roles)s; %(heard)s", roles=together(roles, ", "), heard=heard
        )
        return [Finding("roles", "ok", text)]
    if standby:
        text = phrase(
            "conversations are routed, and no role is ours: we see copies only, and no customer reaches an agent"
        )
        return [Finding("roles", "warning", text, advice.ROLES)]
    text = phrase("conversations are routed, and neither a role nor standby is ours: this line is deaf")
    return [Finding("roles", "warning", text, advice.ROLES)]
