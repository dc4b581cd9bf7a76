"""What may be chosen, and what is carried out of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from relay.core.retention import DEDUPE_DAYS, KINDS, RetentionError, RetentionTerms, before


def test_what_is_not_chosen_is_as_usual() -> None:
    terms = RetentionTerms()
    days = terms.checked({"contents": 30})
    assert days["contents"] == 30
    assert {kind: days[kind] for kind in KINDS if kind != "contents"} == {
        kind: terms.bounds[kind].usual for kind in KINDS if kind != "contents"
    }


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [({"contents": 7}, "contents"), ({"media": 4000}, "media"), ({"contents": 100, "history": 109}, "history")],
)
def test_what_would_do_harm_is_refused_with_a_sentence(chosen: dict[str, int], kind: str) -> None:
    with pytest.raises(RetentionError) as refused:
        RetentionTerms().checked(chosen)
    assert refused.value.kind == kind
    assert "days" in str(refused.value)


def test_the_key_of_once_outlives_contents_whatever_was_chosen_before_the_bounds_changed() -> None:
    terms = RetentionTerms.of({}, {"history": 375})
    days = terms.days({"contents": 3650, "history": 20})
    assert days["history"] >= days["contents"] + DEDUPE_DAYS


def test_the_operators_own_numbers_take_the_place_of_the_usual_ones() -> None:
    terms = RetentionTerms.of({"webhooks": 7}, {"webhooks": 14, "contents": 60})
    assert (terms.bounds["webhooks"].usual, terms.bounds["webhooks"].most) == (7, 14)
    assert terms.bounds["contents"].usual == 60


@pytest.mark.parametrize(("usual", "most"), [({"gossip": 3}, {}), ({"media": 2}, {}), ({}, {"audit": 10})])
def test_the_operators_own_numbers_have_bounds_too(usual: dict[str, int], most: dict[str, int]) -> None:
    with pytest.raises(RetentionError):
        RetentionTerms.of(usual, most)


def test_days_are_whole_ones_of_utc() -> None:
    assert before(datetime(2026, 12, 1, 13, 5, tzinfo=UTC), 8) == datetime(2026, 11, 23, tzinfo=UTC)
