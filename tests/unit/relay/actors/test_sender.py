"""A sender's word to the journal, with a journal that only listens."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from relay.actors.sender import SenderActor
from relay.channels.base import Account, Request, Sent
from relay.channels.whatsapp.errors import cause
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.conversation.events import NotClaimed
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Message, Person, Recipient
from relay.core.threads import THREAD_CONTROL, ThreadControl, ThreadFact
from relay.runtime.actor import Ping
from relay.runtime.commands import Claimed, Dispatch, Outcome
from relay.runtime.side import Side
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE

HELLO = Message("s", Person("x"), 0.0, text="hello")
ONTO_PHONE = Recipient("49151", wa_id="49151")


def job(to: Recipient = ONTO_PHONE, message: Message = HELLO, **more: Any) -> DispatchJob:
    return DispatchJob("m", "c", "outbound", message, to, more.pop("attempt", 1), time.time(), 0, 1, **more)


def outcome(
    how: Sent | Exception, job: DispatchJob, taken: Sent | Exception | None = None, settings: Any = None
) -> Outcome:
    """What the journal hears of a call that the provider answered so; CannotCarry: nothing could be rendered.

    `taken`: how it answered the call before, for the thread.
    """
    heard: list[Any] = []
    listener = Listener.start(heard)

    def end(request: Any, *_: Any, **__: Any) -> Any:
        answer = how if not isinstance(request, Request) or request.path == "/text" else taken
        assert answer is not None, "nobody asked for the thread to be taken"
        if isinstance(answer, Exception):
            raise answer
        return answer

    render = end if isinstance(how, CannotCarry) else lambda message, *_: Request("POST", f"/{message.type}", {})
    channel: Any = SimpleNamespace(render=render, send=end, cause=cause)
    limits = SimpleNamespace(request=10.0, unknown_outcome=60.0)
    parts: Any = SimpleNamespace(
        journal=listener, call=nullcontext, limits=limits, call_begins=lambda: None, call_ends=lambda: None
    )
    account = Account("t", "l", "1", {}, settings or {})
    sender = SenderActor.start(parts, Side("whatsapp", channel, account), listener)
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


SENT = Sent("wamid.1", 200)
LOST = SendError("refused", "131070", "not the owner")
ESCALATION = {"responder_role": "escalation", "take_over": True}
ELSEWHERE = replace(ONTO_PHONE, thread=ThreadFact("elsewhere", 1.0, "ai_agent"))


def thread(told: Outcome) -> str | None:
    return told.thread.state if told.thread else None


def state(told: Outcome) -> str:
    return told.verdict.state if told.verdict else "sent"


@pytest.mark.parametrize(
    ("taken", "sent", "ends", "known"),
    [
        (Sent("", 200), SENT, "sent", "owned"),
        (SendError("refused", "2494191", "not the partner"), SENT, "sent", "owned"),
        (SendError("refused", "2494191", "not the partner"), LOST, "failed", "elsewhere"),
        (SendError("unknown", "timeout", "no answer"), SENT, "sent", "owned"),
        (SendError("unknown", "http_502", "no answer"), SendError("retry", "131000", "again"), "received", "unknown"),
        (Sent("", 200), SendError("refused", "131026", "undeliverable"), "failed", "owned"),
        (Sent("", 200), LOST, "failed", "elsewhere"),
    ],
)
def test_the_thread_is_taken_before_the_message_and_whose_it_is_decides_meta(
    taken: Any, sent: Any, ends: str, known: str
) -> None:
    told = outcome(sent, job(ELSEWHERE, take=True), taken, ESCALATION)
    assert (state(told), thread(told)) == (ends, known)
    assert told.facts is None or told.facts.took


def test_where_nothing_happened_yet_the_message_waits_with_it_and_the_thread_is_taken_again() -> None:
    told = outcome(SENT, job(ELSEWHERE, take=True), SendError("retry", "connect_failed", "no connection"), ESCALATION)
    assert state(told) == "received" and told.facts is not None and not told.facts.took


@pytest.mark.parametrize(
    ("settings", "took", "ends"),
    [
        ({}, False, "failed"),
        ({"responder_role": "customer_service"}, False, "failed"),
        ({"responder_role": "escalation"}, False, "failed"),
        (ESCALATION, True, "failed"),
        (ESCALATION, False, "received"),  # to be tried again, with the thread taken first
    ],
)
def test_a_thread_that_nobody_knew_was_lost_is_taken_once_where_the_line_allows_it(
    settings: Any, took: bool, ends: str
) -> None:
    told = outcome(LOST, job(took=took), settings=settings)
    assert (state(told), thread(told)) == (ends, "elsewhere")


def test_to_take_it_next_time_is_told_whatever_else_is_heard_of_the_thread() -> None:
    told = outcome(LOST, job(), settings=ESCALATION)
    assert told.facts is not None and told.facts.take and told.verdict is not None
    assert told.verdict.next_attempt_at is not None and told.verdict.next_attempt_at > told.verdict.at
    undone = outcome(SENT, job(take=True), SendError("retry", "connect_failed", "no connection"), ESCALATION)
    assert undone.facts is not None and undone.facts.take
    done = outcome(LOST, job(take=True), Sent("", 200), ESCALATION)
    assert state(done) == "failed" and done.facts is not None and not done.facts.take


def test_a_template_is_taken_from_everybody_and_says_nothing_of_the_thread() -> None:
    template = replace(HELLO, type="template")
    channel_says = outcome(SENT, job(ELSEWHERE, template), SENT)
    assert thread(channel_says) is None


def test_what_is_sent_though_somebody_else_was_said_to_answer_shows_whose_it_is() -> None:
    assert thread(outcome(SENT, job(ELSEWHERE))) == "owned"
    assert thread(outcome(SENT, job())) is None, "nothing new"


@pytest.mark.parametrize(
    ("answer", "ends", "known"),
    [
        (SENT, "sent", "idle"),
        (SendError("refused", "100", "another has it"), "failed", None),
        (SendError("unknown", "http_502", "no clear answer"), "unknown", "unknown"),
        (SendError("retry", "connect_failed", "no connection"), "received", None),
    ],
)
def test_a_handover_is_done_refused_or_nobody_knows(answer: Any, ends: str, known: str | None) -> None:
    released = replace(HELLO, type=THREAD_CONTROL, control=ThreadControl("release"))
    told = outcome(answer, job(ELSEWHERE, released), answer)
    assert (state(told), thread(told)) == (ends, known)
    if ends == "unknown":
        assert told.verdict is not None and told.verdict.unknown_until is not None
        assert told.verdict.unknown_until <= time.time(), "nobody will tell: nothing waits for it"
