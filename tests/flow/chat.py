"""One customer's chat on one line, seen from both ends; what the fault tests talk through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.flow.installation import Installation, Line
from tests.waiting import PATIENCE, wait_until


@dataclass(frozen=True)
class Chat:
    installation: Installation
    line: Line
    wa_id: str
    contact: str | None = None
    """The address Genesys was given, where it is not the phone number."""

    def writes(self, text: str | None = None, **more: Any) -> str:
        """The customer writes; returns the wamid."""
        message = {"from": self.wa_id, "to": self.line.phone_number_id, "text": text, **more}
        return self.installation.phone_sends(**message)

    def answers(self, text: str | None = None, **more: Any) -> str:
        """The agent writes; returns the Genesys message id."""
        contact = self.contact or self.wa_id
        message = {"contact": contact, "integration_id": self.line.integration_id, "text": text, **more}
        return self.installation.agent_sends(**message)

    def opened(self) -> Chat:
        """The customer has written, and it has arrived: the 24-hour window is open."""
        self.writes("hello")
        self.agent_reads_in_time("hello")
        return self

    # What each end shows

    def at_the_desk(self, direction: str = "inbound") -> list[dict[str, Any]]:
        return self.installation.agent_sees(self.contact or self.wa_id, self.line, direction)

    def on_the_phone(self) -> list[dict[str, Any]]:
        return self.installation.phone_shows(self.wa_id, self.line)

    def sent_by_phone(self) -> list[dict[str, Any]]:
        return self.installation.phone_shows(self.wa_id, self.line, "inbound")

    def agent_reads(self) -> list[str]:
        return [str(one["text"]) for one in self.at_the_desk()]

    def phone_reads(self) -> list[str]:
        return [str(one["text"]) for one in self.on_the_phone()]

    def receipts(self, source_id: str) -> list[dict[str, Any]]:
        """What Genesys was told about the agent's message, in order."""
        found = [one for one in self.at_the_desk("outbound") if one["id"] == source_id]
        return list(found[0]["receipts"]) if found else []

    def told(self, source_id: str) -> list[str]:
        return [one["status"] for one in self.receipts(source_id)]

    # Waiting

    def agent_reads_in_time(self, *texts: str, seconds: float = PATIENCE) -> None:
        """Exactly these are the last that the agent reads, in this order."""
        self._wait(self.agent_reads, texts, seconds, "the agent")

    def phone_reads_in_time(self, *texts: str, seconds: float = PATIENCE) -> None:
        self._wait(self.phone_reads, texts, seconds, "the phone")

    def state_in_time(self, source_id: str, *states: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The message's row once it is in one of the states."""
        seen: list[str | None] = [None]

        def there() -> bool:
            seen[0] = self.installation.state(source_id)
            return seen[0] in states

        try:
            wait_until(there, seconds, f"{source_id} to be {' or '.join(states)}", interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {seen[0]}") from None
        return self.installation.row(source_id)

    @staticmethod
    def _wait(read: Any, texts: Sequence[str], seconds: float, who: str) -> None:
        last: list[list[str]] = [[]]

        def there() -> bool:
            last[0] = read()
            return last[0][-len(texts) :] == list(texts)

        try:
            wait_until(there, seconds, f"{who} to read {list(texts)}", interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; read were {last[0]}") from None
