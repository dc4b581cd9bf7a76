"""Numbered messages of many conversations, both ways at once, and what became of their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import gevent

from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

UNLIMITED = {
    "meta": {"number_per_second": None, "pair_burst": None},
    "genesys": {"per_minute": None},
}


BURST = 3
"""So many messages of each conversation at a time: neighbours that can be swapped within the hold window."""


GROUP = 10
"""So many conversations at a time: a machine that is overrun would stretch the swaps beyond the window."""


@dataclass(frozen=True)
class Conversation:
    line: Line
    wa_id: str


@dataclass(frozen=True)
class Tally:
    """Over all conversations of one direction: messages sent, arrived (once or more), doubled, swapped."""

    sent: int
    arrived: int
    doubled: int
    swapped: int

    def __str__(self) -> str:
        return f"sent {self.sent}, arrived {self.arrived}, doubled {self.doubled}, swapped {self.swapped}"


def conversations(lines: Sequence[Line], number: int) -> list[Conversation]:
    return [Conversation(lines[index % len(lines)], f"4916{index:08}") for index in range(number)]


def greet(installation: Installation, everybody: Sequence[Conversation]) -> None:
    """Every customer writes once, which opens Meta's 24-hour window for the agents' answers."""
    for one in everybody:
        installation.phone_sends(**{"from": one.wa_id}, to=one.line.phone_number_id, text="hello")


def run(installation: Installation, everybody: Sequence[Conversation], each: int) -> None:
    """`each` numbered messages per conversation and direction, all conversations side by side."""
    customers = gevent.spawn(_customers, installation, everybody, each)
    agents = gevent.spawn(_agents, installation, everybody, each)
    gevent.joinall([customers, agents], raise_error=True)


def _customers(installation: Installation, everybody: Sequence[Conversation], each: int) -> None:
    for number in range(0, each, BURST):
        for group in batched(everybody, GROUP):
            _wait_for_webhooks(installation, "meta")
            batch = [
                {"from": one.wa_id, "to": one.line.phone_number_id, "text": f"in {each_one}"}
                for each_one in range(number, min(number + BURST, each))
                for one in group
            ]
            installation.control("POST", "/phone/messages", {"messages": batch})


def _agents(installation: Installation, everybody: Sequence[Conversation], each: int) -> None:
    for number in range(0, each, BURST):
        for group in batched(everybody, GROUP):
            _wait_for_webhooks(installation, "genesys")
            batch = [
                {"contact": one.wa_id, "integration_id": one.line.integration_id, "text": f"out {each_one}"}
                for each_one in range(number, min(number + BURST, each))
                for one in group
            ]
            installation.control("POST", "/agent/messages", {"messages": batch})


def batched(everybody: Sequence[Conversation], size: int) -> Iterator[Sequence[Conversation]]:
    for start in range(0, len(everybody), size):
        yield everybody[start : start + size]


def _wait_for_webhooks(installation: Installation, side: str) -> None:
    """A slow machine must not stretch the swapped neighbours beyond the hold window."""

    def few() -> bool:
        return int(installation.control("GET", "/stats")[side]["webhooks"]["waiting"]) < 20

    wait_until(few, 60, f"{side}'s webhooks to be taken")


def arrived_inbound(installation: Installation, one: Conversation) -> list[int]:
    return _numbers("in", [str(seen.get("text")) for seen in installation.agent_sees(one.wa_id, one.line)])


def arrived_outbound(installation: Installation, one: Conversation) -> list[int]:
    return _numbers("out", [str(shown.get("text")) for shown in installation.phone_shows(one.wa_id, one.line)])


def _numbers(word: str, texts: Sequence[str]) -> list[int]:
    return [int(text.split()[1]) for text in texts if text.startswith(f"{word} ")]


def tally(arrivals: Sequence[Sequence[int]], each: int) -> Tally:
    """A doubled message counts by its first arrival; swapped are neighbours in the wrong order."""
    doubled = sum(count - 1 for numbers in arrivals for count in Counter(numbers).values())
    firsts = [list(dict.fromkeys(numbers)) for numbers in arrivals]
    swapped = sum(1 for numbers in firsts for a, b in pairwise(numbers) if b < a)
    return Tally(len(arrivals) * each, sum(len(numbers) for numbers in firsts), doubled, swapped)


def what_the_sandbox_did(installation: Installation) -> str:
    """One line per side, so that a passing test shows that it had something to withstand."""
    stats = installation.control("GET", "/stats")
    said = []
    for side in ("meta", "genesys"):
        hooks = stats[side]["webhooks"]
        numbers = ", ".join(
            f"{name} {hooks[name]}" for name in ("posts", "duplicated", "swapped", "batched", "retried")
        )
        said.append(f"  {side}: {numbers}, calls refused on purpose {sum(stats[side]['errors_injected'].values())}")
    return "\n".join(said)


def finished(installation: Installation) -> int:
    sql = "SELECT count(*) AS n FROM message_tracking WHERE state NOT IN ('received', 'sending', 'unknown')"
    return int(installation.rows(sql)[0]["n"])


def unfinished(installation: Installation) -> int:
    sql = "SELECT count(*) AS n FROM message_tracking WHERE state IN ('received', 'sending', 'unknown')"
    return int(installation.rows(sql)[0]["n"])


def swaps(installation: Installation, one: Conversation, word: str, numbers: Sequence[int]) -> list[str]:
    """For each pair in the wrong order, what the rows say about it: the test's own explanation of a failure."""
    said = []
    for earlier, later in pairwise(dict.fromkeys(numbers)):
        if later > earlier:
            continue
        rows = installation.rows(
            """SELECT m.content->>'text' AS text, m.seq, m.idx, m.late, m.attempts, m.provider_time, m.arrived_at,
                      m.created_at, m.claimed_at
               FROM message_tracking m JOIN contact_aliases a ON a.conversation_id = m.conversation_id
               WHERE a.line_id = %s AND a.alias = %s AND split_part(m.content->>'text', ' ', 1) = %s
                 AND split_part(m.content->>'text', ' ', 2)::int BETWEEN %s AND %s ORDER BY m.arrived_at, m.idx""",
            one.line.id, one.wa_id, word, later - 1, earlier + 1,
        )  # fmt: skip
        said += [f"{one.wa_id}: " + ", ".join(f"{name}={value}" for name, value in row.items()) for row in rows]
    return said
