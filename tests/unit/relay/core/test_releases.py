"""Two releases that follow each other may serve an installation together, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relay.core.releases import PREVIOUS, VERSION, Program, order, release, side_by_side

CHANGELOG = Path(__file__).parents[4] / "CHANGELOG.md"


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (("0.3.0", "0.2.0"), ("0.3.0", "0.2.0"), True),
        (("0.3.0", "0.2.0"), ("0.3.4", "0.2.0"), True),
        (("0.3.0", "0.2.0"), ("0.2.9", "0.1.0"), True),
        (("0.3.0", "0.2.0"), ("0.2.0", ""), True),
        (("1.0.0", "0.10.2"), ("0.10.0", "0.9.0"), True),
        (("1.0.0", "0.10.2"), ("0.9.0", "0.8.0"), False),
        (("0.4.0", "0.3.0"), ("0.2.0", ""), False),
        (("0.4.0", ""), ("0.2.0", ""), False),
    ],
)
def test_what_may_run_side_by_side(one: tuple[str, str], other: tuple[str, str], may: bool) -> None:
    first, second = Program("web", "a", *one), Program("daemon", "b", *other)
    assert side_by_side(first, second) is may
    assert side_by_side(second, first) is may


def test_the_release_before_is_the_newest_one_in_the_changelog_that_is_older() -> None:
    named = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG.read_text(), re.MULTILINE)
    assert next(one for one in named if release(one) < release(VERSION)) == PREVIOUS
    assert order(PREVIOUS) < order(VERSION)
