"""What was sent, what the relay said 200 to, and what arrived: as the providers know it, who are not the relay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from tests.chaos.traffic import Sent, Talk
from tests.flow.installation import Installation

Direction = Literal["to the agent", "to the customer"]
TO_GENESYS = ("inbound_message", "inbound_structured_response")


@dataclass(frozen=True)
class Arrival:
    """A call that took effect. `place` orders all calls; `answered` is false where the answer was kept back."""

    place: int
    at: float
    answered: bool


@dataclass
class Entry:
    """One message. `posted_at` is its webhook's first attempt, `taken_at` the 200 that it got in the end, if any."""

    id: str
    number: int
    kind: str
    direction: Direction
    talk: str
    posted_at: float
    attempts: int
    taken_at: float | None
    arrivals: list[Arrival] = field(default_factory=list)
    receipts: dict[str, list[float]] = field(default_factory=dict)
    """When the agent was told each word of it."""
    shown: bool = False
    """Whether the customer's phone has it: only then there is something to tell the agent."""

    @property
    def arrived_at(self) -> float | None:
        return self.arrivals[0].at if self.arrivals else None

    @property
    def waited(self) -> float:
        """Seconds from the 200 to the arrival; 0 without either."""
        return self.arrivals[0].at - self.taken_at if self.arrivals and self.taken_at else 0.0


class Journal:
    """The providers' own, read as it grows."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._last = 0
        self.entries: list[dict[str, Any]] = []

    def read(self) -> None:
        new = self._installation.control("GET", f"/journal?after={self._last}")["entries"]
        if new:
            self._last = new[-1]["number"]
            self.entries += [one for one in new if one["call"] in (*TO_GENESYS, "messages")]

    def arrived(self) -> dict[Direction, int]:
        """So many different messages by now."""
        agent = {one["reference"] for one in self.entries if one["side"] == "genesys"}
        customer = {one["reference"] for one in self.entries if one["side"] == "meta" and one["reference"]}
        return {"to the agent": len(agent), "to the customer": len(customer)}


def entries(installation: Installation, journal: Journal, talks: Sequence[Talk]) -> list[Entry]:
    """Every message of every conversation, both ways."""
    journal.read()
    by_customers_id: dict[str, list[Arrival]] = defaultdict(list)
    by_wamid: dict[str, Arrival] = {}
    for one in journal.entries:
        arrival = Arrival(one["number"], one["at"], one["answered"])
        if one["side"] == "genesys":
            by_customers_id[one["reference"]].append(arrival)
        elif one["reference"]:
            by_wamid[one["id"]] = arrival
    found: list[Entry] = []
    for talk in talks:
        line = talk.line
        phone = installation.control("GET", f"/phone/{talk.wa_id}/messages?to={line.phone_number_id}")
        desk = installation.control("GET", f"/agent/{talk.wa_id}/messages?integration_id={line.integration_id}")
        found += _of_customer(talk, phone["messages"], by_customers_id)
        found += _of_agent(talk, desk["messages"], [*phone["messages"], *phone["undelivered"]], by_wamid)
    return found


def _of_customer(talk: Talk, shown: Sequence[Mapping[str, Any]], arrivals: Mapping[str, list[Arrival]]) -> list[Entry]:
    hooks = {one["id"]: one["webhook"] for one in shown if one["direction"] == "inbound"}
    return [_entry(one, "to the agent", talk, hooks[one.id], arrivals.get(one.id, [])) for one in talk.customer.sent]


def _of_agent(
    talk: Talk,
    desk: Sequence[Mapping[str, Any]],
    phone: Sequence[Mapping[str, Any]],
    by_wamid: Mapping[str, Arrival],
) -> list[Entry]:
    known = {one["id"]: one for one in desk if one["direction"] == "outbound"}
    arrivals: dict[str, list[Arrival]] = defaultdict(list)
    shown = set()
    for one in phone:
        if one["direction"] == "outbound" and one["id"] in by_wamid:
            arrivals[str(one["text"])].append(by_wamid[one["id"]])
            if any(status["status"] in ("delivered", "read") for status in one["statuses"]):
                shown.add(str(one["text"]))
    found = []
    for sent in talk.agent.sent:
        text, hers = f"agent-{sent.number}", known[sent.id]
        ordered = sorted(arrivals[text], key=lambda arrival: arrival.place)
        entry = _entry(sent, "to the customer", talk, hers["webhook"], ordered)
        for receipt in hers["receipts"]:
            told_at = datetime.fromisoformat(receipt["received_at"]).timestamp()
            entry.receipts.setdefault(receipt["status"], []).append(told_at)
        entry.shown = text in shown
        found.append(entry)
    return found


def _entry(sent: Sent, direction: Direction, talk: Talk, hook: Mapping[str, Any], arrivals: list[Arrival]) -> Entry:
    taken = hook["answered_at"] if hook["state"] == "delivered" else None
    name, posted = f"{talk.line.phone_number_id}/{talk.wa_id}", hook["posted_at"] or 0.0
    return Entry(sent.id, sent.number, sent.kind, direction, name, posted, hook["attempts"], taken, list(arrivals))
