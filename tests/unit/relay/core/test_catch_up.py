"""When agents' messages may have been given up, what is asked for, and what is left to messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.core.catch_up import GAP_SECONDS, RESERVE, GivenUp, Refusals, candidates, missing, wait_for_permit

BURST, PER_SECOND = 300.0, 5.0


def test_refusals_of_a_line_that_went_on_for_long_tell_once_since_when() -> None:
    refusals = Refusals()
    for at in (100.0, 105.0, 100.0 + GAP_SECONDS):
        refusals.refused(at, "a")
    assert refusals.given_up(101.0 + GAP_SECONDS) == GivenUp(), "still under way"
    refusals.taken(102.0 + GAP_SECONDS, "a")
    assert refusals.given_up(103.0 + GAP_SECONDS) == GivenUp({"a": 100.0})
    assert refusals.given_up(104.0 + GAP_SECONDS) == GivenUp()


@pytest.mark.parametrize("line_id", ["a", None])
def test_a_refusal_whose_repeat_is_taken_loses_nothing(line_id: str | None) -> None:
    refusals = Refusals()
    refusals.refused(100.0, line_id)
    refusals.taken(105.0, line_id)
    refusals.refused(100.0 + GAP_SECONDS, line_id)
    refusals.taken(101.0 + GAP_SECONDS, line_id)
    assert refusals.given_up(102.0 + 2 * GAP_SECONDS) == GivenUp()


def test_a_refusal_that_is_not_repeated_any_more_was_given_up_by_its_line_alone() -> None:
    refusals = Refusals()
    refusals.refused(100.0, "a")
    refusals.refused(100.0, None)
    assert refusals.given_up(99.0 + GAP_SECONDS) == GivenUp()
    assert refusals.given_up(100.0 + GAP_SECONDS) == GivenUp({"a": 100.0}), "one refusal says nothing of all lines"


def test_a_line_that_is_refused_for_long_while_others_are_taken_is_the_one_that_lost_something() -> None:
    refusals = Refusals()
    for at in range(0, int(GAP_SECONDS) + 5, 5):
        refusals.refused(100.0 + at, "a")
        refusals.taken(101.0 + at, "b")
    refusals.refused(100.0 + GAP_SECONDS, "c")
    refusals.taken(101.0 + GAP_SECONDS, "b")
    assert refusals.given_up(110.0 + 2 * GAP_SECONDS) == GivenUp({"a": 100.0})


def test_where_no_line_is_named_all_lost_something_if_nothing_at_all_was_taken_for_long() -> None:
    refusals = Refusals()
    for at in (100.0, 110.0, 100.0 + GAP_SECONDS):
        refusals.refused(at, None)
    refusals.taken(102.0 + GAP_SECONDS, "b")
    assert refusals.given_up(103.0 + GAP_SECONDS) == GivenUp(everywhere=100.0)
    for at in (200.0, 210.0, 200.0 + GAP_SECONDS):
        refusals.refused(at, None)
        refusals.taken(at + 1.0, "b")
    assert refusals.given_up(200.0 + 3 * GAP_SECONDS) == GivenUp()


def test_what_was_given_up_before_is_kept_until_it_can_be_told() -> None:
    both = GivenUp({"a": 100.0}).with_(GivenUp({"a": 150.0, "b": 150.0}, 160.0))
    assert both == GivenUp({"a": 100.0, "b": 150.0}, 160.0)
    assert both.with_(GivenUp(everywhere=170.0)).ago(200.0) == GivenUp({"a": 100.0, "b": 50.0}, 40.0)


@given(st.one_of(st.none(), st.floats(-BURST, BURST)))
def test_a_call_is_made_only_while_half_of_the_rate_is_left_to_messages(left: float | None) -> None:
    wait = wait_for_permit(left, PER_SECOND, BURST)
    assert wait >= 0
    if wait == 0:
        assert left is not None
        assert left - 1 >= BURST * RESERVE
    elif left is not None:
        assert left + wait * PER_SECOND - 1 >= BURST * RESERVE - 1e-6, "after the wait there is enough"


@given(st.dictionaries(st.text(min_size=1), st.floats(0, 1e9)), st.floats(0, 1e9), st.sets(st.text()))
def test_what_is_missing_is_new_unknown_and_in_order(at: dict[str, float], since: float, known: set[str]) -> None:
    found = missing(candidates(at.items(), since), known)
    assert set(found) == {one for one, when in at.items() if when >= since and one not in known}
    assert [at[one] for one in found] == sorted(at[one] for one in found)
