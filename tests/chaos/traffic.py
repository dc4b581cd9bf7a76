"""Who writes: customers and agents of many conversations, at a steady rate: texts, files, questions, taps on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import gevent
from gevent.lock import RLock

from tests.flow.installation import Installation, Line

TALKS, PER_SECOND = 96, 9.0
"""PER_SECOND: messages of each side, on average; to each customer fewer than the one in 6 seconds that Meta permits."""
WRITERS = 4
"""Of each side, at the same time: on a busy machine one alone would not come to so many."""
BURSTS, BURST = 0.1, 5
"""So often somebody writes so many in a row."""
FILES, QUESTIONS = 0.15, 0.12
SOON = 20
"""A question is looked for among so many of the newest messages on the phone."""


@dataclass
class Sent:
    """`id` is the provider's, by which its webhook is known; `number` its place among its sender's messages."""

    id: str
    number: int
    kind: str


@dataclass
class Side:
    """What one of the two has written in a conversation. One at a time: the order of the calls is the promised one."""

    sent: list[Sent] = field(default_factory=list)
    turn: RLock = field(default_factory=RLock)


@dataclass
class Talk:
    line: Line
    wa_id: str
    customer: Side = field(default_factory=Side)
    agent: Side = field(default_factory=Side)
    questions: list[str] = field(default_factory=list)
    """The first words of those that nobody has answered."""


class Traffic:
    def __init__(
        self, installation: Installation, lines: list[Line], seed: int, per_second: float = PER_SECOND
    ) -> None:
        self._installation = installation
        self._per_second = per_second
        self._chance = Random(seed)
        self.talks = [Talk(lines[number % len(lines)], f"4917{number:08}") for number in range(TALKS)]
        self._running: list[gevent.Greenlet] = []

    def greet(self) -> None:
        """Every customer writes once, which opens the window for answers."""
        for talk in self.talks:
            self.customer_writes(talk, "text")

    def start(self) -> None:
        writers = [*[self._customers] * WRITERS, *[self._agents] * WRITERS, self._taps]
        self._running = [gevent.spawn(one) for one in writers]

    def stop(self) -> None:
        """What is being written is finished first: whoever is cut off in a call would not know whether it counts."""
        self._ended = True
        gevent.joinall(self._running, raise_error=True)

    _ended = False

    def _customers(self) -> None:
        for _ in self._moments(self._per_second / WRITERS):
            talk, count = self._whose()
            for _ in range(count):
                self.customer_writes(talk, "image" if self._chance.random() < FILES else "text")

    def _agents(self) -> None:
        for _ in self._moments(self._per_second / WRITERS):
            talk, count = self._whose()
            for _ in range(count):
                drawn = self._chance.random()
                kind = "image" if drawn < FILES else "question" if drawn < FILES + QUESTIONS else "text"
                self.agent_writes(talk, kind)

    def _taps(self) -> None:
        """Customers answer questions a while after they see them."""
        for _ in self._moments(1.0):
            waiting = [talk for talk in self.talks if talk.questions]
            if waiting:
                self._tap(self._chance.choice(waiting))

    def _moments(self, rate: float) -> Iterator[None]:
        """Until the end, at this rate whatever the writing itself takes. A burst counts as many."""
        due = time.monotonic()
        while not self._ended:
            due += self._chance.expovariate(rate / (1 + BURSTS * (BURST - 1)))
            gevent.sleep(max(0.0, due - time.monotonic()))
            if not self._ended:
                yield

    def _whose(self) -> tuple[Talk, int]:
        return self._chance.choice(self.talks), BURST if self._chance.random() < BURSTS else 1

    def customer_writes(self, talk: Talk, kind: str) -> None:
        message: dict[str, Any] = {"from": talk.wa_id, "to": talk.line.phone_number_id}
        message |= {"type": "image", "sample": True} if kind == "image" else {}
        with talk.customer.turn:
            number = len(talk.customer.sent)
            message["text"] = f"customer-{number}"
            talk.customer.sent.append(Sent(self._installation.phone_sends(**message), number, kind))

    def agent_writes(self, talk: Talk, kind: str) -> None:
        message: dict[str, Any] = {"contact": talk.wa_id, "integration_id": talk.line.integration_id}
        message |= {"image": {"sample": "image"}, "question": {"sample": "quick_replies"}}.get(kind, {})
        with talk.agent.turn:
            number = len(talk.agent.sent)
            message["text"] = f"agent-{number}"
            talk.agent.sent.append(Sent(self._installation.agent_sends(**message), number, kind))
            if kind == "question":
                talk.questions.append(message["text"])

    def _tap(self, talk: Talk) -> None:
        """On the oldest question that can still be seen, if it is there yet."""
        path = f"/phone/{talk.wa_id}/messages?to={talk.line.phone_number_id}&limit={SOON}"
        seen = {str(one["text"]): one for one in self._installation.control("GET", path)["messages"]}
        text = next((one for one in talk.questions if one in seen), None)
        if text is None:
            return
        talk.questions.remove(text)
        with talk.customer.turn:
            tapped = self._installation.control("POST", "/phone/taps", {"id": seen[text]["id"], "option": 0})
            talk.customer.sent.append(Sent(str(tapped["id"]), len(talk.customer.sent), "tap"))
