"""Migrations are made in two halves, so that the version before works on while the next one comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from db.halves import HALF, oldest_version
from db.migrate import MIGRATIONS
from relay.core.releases import PREVIOUS, order

FILES = sorted(MIGRATIONS.glob("*.sql"))
RULE_SINCE = "0020"
"""What is older was released before there was this rule."""
TAKEN_AWAY = re.compile(
    r"DROP (?:TABLE|COLUMN|VIEW|FUNCTION|TYPE|SEQUENCE)|RENAME|SET NOT NULL|ALTER COLUMN \w+ (?:SET DATA )?TYPE"
    r"|ADD COLUMN \w+ \w+ NOT NULL(?!.*(?:DEFAULT|GENERATED))|TRUNCATE|REVOKE",
    re.IGNORECASE,
)


def code(text: str) -> str:
    return re.sub(r"--.*", "", text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_migration_says_its_half_and_expand_takes_nothing_away(path: Path) -> None:
    text = path.read_text()
    if path.stem >= RULE_SINCE:
        assert HALF.match(text), "its second line is `-- half: expand`, or `-- half: contract, for x.y.z and newer`"
        assert oldest_version(text) or TAKEN_AWAY.findall(code(text)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_version_before_can_live_with_what_is_taken_away(path: Path) -> None:
    """What this version stops using goes with the next one."""
    oldest = oldest_version(path.read_text())
    assert oldest is None or order(oldest) <= order(PREVIOUS)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE lines DROP COLUMN status",
        "ALTER TABLE lines\n    ADD COLUMN n integer NOT NULL;",
        "ALTER TABLE lines RENAME COLUMN a TO b",
        "ALTER TABLE lines ALTER COLUMN a TYPE bigint",
    ],
)
def test_what_the_version_before_would_mind_is_seen(statement: str) -> None:
    assert TAKEN_AWAY.findall(code(statement))


def test_a_contract_names_the_oldest_version_that_it_leaves_at_work() -> None:
    assert oldest_version("-- depends: 0098.w\n-- half: contract, for 0.3.0 and newer\n") == "0.3.0"
    assert oldest_version("-- depends: 0098.w\n-- half: expand\n") is None
