"""What is known of an agent's message that the restored database has no row of."""

from __future__ import annotations

import pytest

from relay.core.restored import BeforeLoss, before_loss

LOST_AT = 1_000.0


@pytest.mark.parametrize(
    ("at", "delivered", "expected"),
    [
        (LOST_AT - 1, False, "unknown"),
        (LOST_AT - 1, True, "carried"),
        (LOST_AT, False, None),
        (LOST_AT + 1, True, "carried"),
    ],
)
def test_before_the_loss_nothing_is_sent_and_after_it_what_nobody_has(
    at: float, delivered: bool, expected: BeforeLoss | None
) -> None:
    assert before_loss(at, delivered, LOST_AT) == expected


def test_without_a_restore_everything_that_is_missing_is_sent() -> None:
    assert before_loss(LOST_AT, True, None) is None
