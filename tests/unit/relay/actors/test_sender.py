"""A sender's word to the journal, with a journal that only listens."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from relay.actors.sender import SenderActor
from relay.channels.base import Account, Request, Sent
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.conversation.events import NotClaimed
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Message, Person, Recipient
from relay.runtime.actor import Ping
from relay.runtime.commands import Claimed, Dispatch, Outcome
from relay.runtime.side import Side
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE

HELLO = Message("s", Person("x"), 0.0, text="hello")
ONTO_PHONE = Recipient("49151", wa_id="49151")


def job(to: Recipient = ONTO_PHONE, message: Message = HELLO, **more: Any) -> DispatchJob:
    return DispatchJob("m", "c", "outbound", message, to, more.pop("attempt", 1), time.time(), 0, 1, **more)


def outcome(how: Sent | Exception, job: DispatchJob) -> Outcome:
    """What the journal hears of a call that the provider answered so; CannotCarry: nothing could be rendered."""
    heard: list[Any] = []
    listener = Listener.start(heard)

    def end(*_: Any, **__: Any) -> Any:
        if isinstance(how, Exception):
            raise how
        return how

    render = end if isinstance(how, CannotCarry) else lambda *_: Request("POST", "/", {})
    channel: Any = SimpleNamespace(render=render, send=end)
    limits = SimpleNamespace(request=10.0, unknown_outcome=60.0)
    parts: Any = SimpleNamespace(
        journal=listener, call=nullcontext, limits=limits, call_begins=lambda: None, call_ends=lambda: None
    )
    sender = SenderActor.start(parts, Side("whatsapp", channel, Account("t", "l", "1", {})), listener)
    sender.tell(Dispatch(job, listener))
    sender.tell(Claimed("m", True, time.monotonic()))
    for ref in (sender, listener):
        ref.ask(Ping(), timeout=PATIENCE)
        ref.stop()
    return next(one for one in heard if isinstance(one, Outcome))


@pytest.mark.parametrize(
    ("to", "news"),
    [
        (Recipient("49151", wa_id="49151", bsuid="DE.1"), ()),
        (Recipient("49151", wa_id="49151"), ("DE.1",)),
        (Recipient("49151"), ("49151", "DE.1")),
    ],
)
def test_only_names_that_are_new_are_written_down(to: Recipient, news: tuple[str, ...]) -> None:
    assert outcome(Sent("wamid.1", 200, aliases=("49151", "DE.1")), job(to)).aliases == news


def test_a_failed_attempt_is_told_as_facts_for_the_next_one() -> None:
    handed = job(attempt=3, failures=1, first_failure=7.0)
    told = outcome(SendError("retry", "131000", "try again"), handed)
    assert told.verdict is not None and (told.verdict.state, told.verdict.attempt) == ("received", 3)
    assert told.facts == DispatchFacts(2, 7.0)


def test_what_is_no_fault_of_the_message_does_not_count() -> None:
    told = outcome(SendError("credentials", "190", "the token has expired"), job())
    assert told.facts == DispatchFacts(0, None)


def test_the_first_failure_is_dated_once() -> None:
    told = outcome(SendError("retry", "131000", "try again"), job())
    assert told.facts is not None and told.facts.failures == 1 and told.facts.first_failure is not None


def test_what_cannot_be_rendered_ends_without_an_attempt() -> None:
    told = outcome(CannotCarry("too_large", "it is too large"), job(attempt=2))
    assert told.verdict is not None and (told.verdict.state, told.verdict.attempt) == ("failed", 1)
    assert told.attempt is None and told.facts is None


def test_a_sender_that_ends_before_its_claim_says_so_and_no_stop_waits_for_its_call() -> None:
    heard: list[Any] = []
    listener = Listener.start(heard)
    under_way: list[int] = []
    channel: Any = SimpleNamespace(render=lambda *_: Request("POST", "/", {}))
    parts: Any = SimpleNamespace(
        journal=listener, call_begins=lambda: under_way.append(1), call_ends=lambda: under_way.append(-1)
    )
    sender = SenderActor.start(parts, Side("whatsapp", channel, Account("t", "l", "1", {})), listener)
    sender.tell(Dispatch(job(), listener))
    sender.ask(Ping(), timeout=PATIENCE)
    assert under_way == [1]
    sender.stop()
    listener.ask(Ping(), timeout=PATIENCE)
    listener.stop()
    assert [one.message_id for one in heard if isinstance(one, NotClaimed)] == ["m"]
    assert under_way == [1, -1]
