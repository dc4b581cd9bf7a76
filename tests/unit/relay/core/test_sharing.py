"""Shards are shared out evenly, whoever joins and leaves, and whoever looks first."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from relay.core.sharing import share

SHARDS = 16


class Sharing(RuleBasedStateMachine):
    """Daemons as the database knows them, each doing what its supervisor does: give up what is too much, take rest."""

    def __init__(self) -> None:
        super().__init__()
        self.living: set[str] = set()
        self.owner: dict[int, str | None] = dict.fromkeys(range(SHARDS))

    @precondition(lambda self: len(self.living) < SHARDS + 4)
    @rule(name=st.text("abcdef0123456789", min_size=4, max_size=4))
    def joins(self, name: str) -> None:
        self.living.add(name)

    @precondition(lambda self: self.living)
    @rule(data=st.data(), in_order=st.booleans())
    def leaves(self, data: st.DataObject, in_order: bool) -> None:
        gone = data.draw(st.sampled_from(sorted(self.living)))
        self.living.remove(gone)
        if in_order:
            self.owner.update({n: None for n, owner in self.owner.items() if owner == gone})

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def looks(self, data: st.DataObject) -> None:
        self._look(data.draw(st.sampled_from(sorted(self.living))))

    def teardown(self) -> None:
        for _ in range(2):
            for name in sorted(self.living):
                self._look(name)
        has = [sum(owner == name for owner in self.owner.values()) for name in self.living]
        assert not has or (sum(has) == SHARDS and max(has) - min(has) <= 1)

    def _look(self, name: str) -> None:
        wanted = share(name, self.living, SHARDS)
        mine = sorted(n for n, owner in self.owner.items() if owner == name)
        free = sorted(n for n, owner in self.owner.items() if owner not in self.living)
        self.owner.update(dict.fromkeys(mine[wanted:]))
        self.owner.update(dict.fromkeys(free[: max(0, wanted - len(mine))], name))


TestSharing = Sharing.TestCase
TestSharing.settings = settings(max_examples=100, stateful_step_count=30, derandomize=True, deadline=None)


def test_who_has_lost_its_lease_has_no_share() -> None:
    assert share("gone", ["a", "b"], SHARDS) == 0
