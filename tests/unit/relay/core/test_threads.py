"""Who answers a contact is put together from what is heard, in whichever order it comes, and is believed for a day."""

from __future__ import annotations

from itertools import permutations

import pytest

from relay.core.contacts.mapping import ConversationMapping
from relay.core.threads import (
    SILENCE_SECONDS,
    ThreadControl,
    ThreadFact,
    after_control,
    as_of,
    in_words,
    prevailing,
)

T = 1_790_000_000.0
OURS, THEIRS = ThreadFact("owned", T), ThreadFact("elsewhere", T, "ai_agent")


@pytest.mark.parametrize("order", list(permutations([ThreadFact("owned", T - 1), THEIRS, ThreadFact("idle", T - 2)])))
def test_the_latest_word_counts_in_whichever_order_they_come(order: tuple[ThreadFact, ...]) -> None:
    found = None
    for one in order:
        found = prevailing(one, found)
    assert found == THEIRS


@pytest.mark.parametrize("state", ["owned", "idle", "unknown"])
def test_of_one_second_the_word_that_it_is_not_ours_counts(state: str) -> None:
    other = ThreadFact(state, T)  # type: ignore[arg-type]
    assert prevailing(THEIRS, other) == prevailing(other, THEIRS) == THEIRS


def test_a_role_is_known_for_as_long_as_its_owner_has_the_thread() -> None:
    assert prevailing(ThreadFact("elsewhere", T + 1), THEIRS) == ThreadFact("elsewhere", T + 1, "ai_agent")
    assert prevailing(ThreadFact("owned", T + 1), THEIRS) == ThreadFact("owned", T + 1)


@pytest.mark.parametrize("fact", [OURS, THEIRS, ThreadFact("unknown", T)])
def test_after_a_day_of_the_contacts_silence_nobody_knows(fact: ThreadFact) -> None:
    day = SILENCE_SECONDS
    assert as_of(fact, T - 10, T + day - 11).state == fact.state
    assert as_of(fact, T - 10, T + day - 10).state == "unknown"
    assert as_of(fact, None, T + day - 1).state == fact.state
    assert as_of(fact, None, T + day).state == "unknown"


def test_writing_on_keeps_it_known_and_what_was_said_before_it_was_lost_does_not_end_it() -> None:
    assert as_of(THEIRS, T + 50_000, T + SILENCE_SECONDS + 1) == THEIRS, "the contact went on writing to them"
    assert as_of(THEIRS, T - 2 * SILENCE_SECONDS, T + 60) == THEIRS, "we did not hear what they wrote to them"


def test_what_is_idle_stays_so_and_of_whom_nothing_was_heard_nothing_is_known() -> None:
    assert as_of(ThreadFact("idle", T), None, T + 10 * SILENCE_SECONDS).state == "idle"
    assert as_of(None, T, T).state == "unknown"


@pytest.mark.parametrize(
    ("control", "state", "role", "words"),
    [
        (ThreadControl("take", note="mine"), "owned", None, "/take mine"),
        (ThreadControl("release"), "idle", None, "/release"),
        (ThreadControl("pass", "ai_agent", "done here"), "elsewhere", "ai_agent", "/pass ai_agent done here"),
        (ThreadControl("pass"), "elsewhere", "escalation", "/pass"),
    ],
)
def test_what_holds_once_it_is_done(control: ThreadControl, state: str, role: str | None, words: str) -> None:
    assert after_control(control, T) == ThreadFact(state, T, role)  # type: ignore[arg-type]
    assert in_words(control) == words


def test_a_mapping_read_before_something_was_heard_turns_nothing_back() -> None:
    old = ConversationMapping("c", "t", "l", "491701", 0, "491701", None, None, None, None)
    known = old.told(THEIRS)
    assert old.after(known).thread == THEIRS
    assert old.told(ThreadFact("owned", T - 5)).after(known).thread == THEIRS
    assert old.told(ThreadFact("owned", T + 5)).after(known).thread == ThreadFact("owned", T + 5)
