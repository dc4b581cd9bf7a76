"""Counts of everything that happened, and the lists that a test wants to look into. Bounded."""

from collections import Counter, deque
from typing import Any

from sandbox.clock import iso_milliseconds

WEBHOOK_COUNTS = (
    "updates",
    "posts",
    "delivered",
    "duplicated",
    "swapped",
    "batched",
    "retried",
    "refused",
    "failed",
    "given_up",
    "unsubscribed",
    "overflowed",
    "waiting",
)


class SideStats:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.errors_injected: Counter[str] = Counter()
        self.webhooks: Counter[str] = Counter(dict.fromkeys(WEBHOOK_COUNTS, 0))

    def view(self) -> dict[str, Any]:
        return {name: dict(counter) for name, counter in vars(self).items()}


class Stats:
    def __init__(self) -> None:
        self.meta = SideStats()
        self.genesys = SideStats()
        self.findings: deque[dict[str, Any]] = deque(maxlen=500)
        self.findings_count: Counter[str] = Counter()
        self.lost_answers: deque[dict[str, Any]] = deque(maxlen=20_000)

    def side(self, name: str) -> SideStats:
        return self.meta if name == "meta" else self.genesys

    def finding(self, side: str, code: str, text: str) -> None:
        """What a provider accepts and a careful client avoids."""
        self.findings_count[code] += 1
        self.findings.append({"side": side, "code": code, "text": text, "at": iso_milliseconds()})

    def lost_answer(self, side: str, call: str, message_id: str | None, reference: str | None) -> None:
        self.lost_answers.append(
            {"side": side, "call": call, "id": message_id, "reference": reference, "at": iso_milliseconds()}
        )

    def view(self) -> dict[str, Any]:
        return {
            "meta": self.meta.view(),
            "genesys": self.genesys.view(),
            "findings": list(self.findings),
            "findings_count": dict(self.findings_count),
            "lost_answers": list(self.lost_answers),
        }
