"""When agents' messages may have been given up, what is asked for, and what is left to messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.core.catch_up import GAP_SECONDS, RESERVE, Refusals, candidates, missing, wait_for_permit

BURST, PER_SECOND = 300.0, 5.0


def test_refusals_that_went_on_for_long_tell_once_since_when() -> None:
    refusals = Refusals()
    for at in (100.0, 105.0, 100.0 + GAP_SECONDS):
        refusals.refused(at)
    assert refusals.since(101.0 + GAP_SECONDS) is None, "still under way"
    refusals.taken(102.0 + GAP_SECONDS)
    assert refusals.since(103.0 + GAP_SECONDS) == 100.0
    assert refusals.since(104.0 + GAP_SECONDS) is None


def test_a_refusal_whose_repeat_is_taken_loses_nothing() -> None:
    refusals = Refusals()
    refusals.refused(100.0)
    refusals.taken(105.0)
    refusals.refused(100.0 + GAP_SECONDS)
    refusals.taken(101.0 + GAP_SECONDS)
    assert refusals.since(102.0 + GAP_SECONDS) is None


def test_a_refusal_that_is_not_repeated_any_more_was_given_up() -> None:
    refusals = Refusals()
    refusals.refused(100.0)
    assert refusals.since(99.0 + GAP_SECONDS) is None
    assert refusals.since(100.0 + GAP_SECONDS) == 100.0


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
