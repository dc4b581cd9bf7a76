"""Numbers that the business uses in the WhatsApp Business app, too: WhatsApp takes fewer messages of them.

Source: Meta's throughput page, November 2025 (20 messages a second, fixed); the fields by typed clients of 2026.
"""

from __future__ import annotations

from urllib.parse import quote

from relay.channels.base import Account, Finding
from relay.channels.http.client import HttpResponse
from relay.channels.http.reading import record
from relay.channels.whatsapp.client import WhatsAppClient, harmless
from relay.channels.whatsapp.errors import failure
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.core.languages import phrase

FIELDS = "is_on_biz_app,platform_type,throughput"
PER_SECOND = 20
TEXT = phrase(
    "the number is used in the WhatsApp Business app, too: WhatsApp takes %(count)s messages a second of it, and the "
    "relay sends no more",
    count=PER_SECOND,
)


def rate_cap(client: WhatsAppClient, account: Account, deadline: float) -> int | None:
    """Raises SendError where Meta does not say."""
    path = f"/{quote(phone_number_id(account), safe='')}"
    answer = client.get(path, account, deadline, {"fields": FIELDS})
    if answer.status != 200 or not record(answer.data) or "error" in answer.data:
        raise harmless(failure(answer, account.credentials.values()))
    return PER_SECOND if _on_app(answer) else None


def findings(answer: HttpResponse | None) -> list[Finding]:
    good = answer is not None and answer.status == 200 and _on_app(answer)
    return [Finding("coexistence", "ok", TEXT)] if good else []


def _on_app(answer: HttpResponse) -> bool:
    told = record(answer.data)
    return told.get("is_on_biz_app") is True and told.get("platform_type") == "CLOUD_API"
