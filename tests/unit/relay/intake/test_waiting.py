"""Turns by line: equal shares whatever a line brings, each line's own in order, bounded groups."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from relay.broker.envelopes import Delivery
from relay.core.queues import INBOUND
from relay.intake.waiting import Waiting

LINES = ["a", "b", "c", "d"]


def delivery(line: str, tag: int, updates: int = 1, size: int = 1, shard: int = 0) -> Delivery:
    return Delivery(INBOUND, b"\n".join([b"x" * size] * updates), tag, shard, {"lineId": line}, False, 1)


def waiting(*deliveries: Delivery) -> Waiting:
    made = Waiting()
    for one in deliveries:
        made.add(one)
    return made


def drained(these: Waiting, most: int = 10, size: int = 1000) -> list[list[Delivery]]:
    groups = []
    while these:
        groups.append(these.group(most, size))
        these.taken(groups[-1])
    return groups


def test_a_single_message_is_in_the_next_group_however_many_another_line_has() -> None:
    these = waiting(*(delivery("busy", n, updates=5) for n in range(100)))
    these.taken(these.group(10, 1000))
    these.add(delivery("calm", 100))
    assert "calm" in {one.line_id for one in these.group(10, 1000)}


def test_lines_have_equal_shares_whatever_the_size_of_their_messages() -> None:
    single = [delivery("single", n) for n in range(100)]
    packed = [delivery("packed", n, updates=20) for n in range(100)]
    group = waiting(*packed, *single).group(40, 10_000)
    assert Counter(one.line_id for one in group) == {"single": 20, "packed": 1}


def test_with_more_lines_than_fit_each_has_its_turn_before_any_has_a_second() -> None:
    these = waiting(*(delivery(f"line {n % 25}", n) for n in range(75)))
    served = [one.line_id for group in drained(these)[:5] for one in group]
    assert set(Counter(served).values()) == {2}


def test_lines_that_rest_have_no_turn_and_the_others_have_theirs() -> None:
    these = waiting(*(delivery("busy", n) for n in range(100)), delivery("calm", 100))
    assert [one.line_id for one in these.group(10, 1000, {"busy"})] == ["calm"]
    assert these.group(10, 1000, {"busy", "calm"}) == []
    assert these.of(["busy", "gone"]) == {"busy"}


def test_a_group_stays_until_it_is_taken() -> None:
    these = waiting(*(delivery("a", n) for n in range(30)))
    assert these.group(10, 1000) == these.group(10, 1000)


def test_one_message_is_taken_however_large_it_is() -> None:
    groups = drained(waiting(delivery("a", 0, size=5000), delivery("a", 1, updates=64), delivery("a", 2)))
    assert [[one.tag for one in group] for group in groups] == [[0], [1], [2]]


def test_what_a_closed_channel_had_brought_is_dropped_and_nothing_else() -> None:
    these = waiting(*(delivery("a", n, shard=n % 2) for n in range(6)), delivery("b", 6, shard=1))
    these.drop(1)
    assert [one.tag for group in drained(these) for one in group] == [0, 2, 4]


TURN = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(LINES), st.integers(1, 8), st.integers(1, 60)),
    st.tuples(st.just("take"), st.integers(1, 20), st.integers(20, 400), st.booleans()),
    st.tuples(st.just("drop"), st.integers(0, 2), st.just(0), st.just(0)),
)


@given(st.lists(TURN, max_size=80))
def test_whatever_happens_each_is_taken_once_in_its_lines_order_and_no_line_is_passed_over_twice(
    turns: list[tuple[str, object, object, object]],
) -> None:
    """Against a model: what waits for each line, in order, and since how many groups a line has had no turn."""
    these, model = Waiting(), {line: list[Delivery]() for line in LINES}
    passed = Counter[str]()
    for tag, (what, first, second, third) in enumerate(turns):
        if what == "add":
            one = delivery(str(first), tag, int(str(second)), int(str(third)), shard=tag % 3)
            these.add(one)
            model[one.line_id].append(one)
        elif what == "drop":
            these.drop(int(str(first)))
            model = {line: [one for one in its if one.shard != first] for line, its in model.items()}
        else:
            most, size = int(str(first)), int(str(second))
            group = these.group(most, size)
            updates, length = sum(one.body.count(b"\n") + 1 for one in group), sum(len(one.body) for one in group)
            assert len(group) <= 1 or (updates <= most and length <= size)
            assert bool(group) == any(model.values())
            if not third:
                continue  # PostgreSQL did not take it: it is taken again
            these.taken(group)
            for line in LINES:
                its = [one for one in group if one.line_id == line]
                assert its == model[line][: len(its)], "in its order"
                del model[line][: len(its)]
                passed[line] = 0 if its or not model[line] else passed[line] + 1
            assert max(passed.values()) < len(LINES)
    assert bool(these) == any(model.values())
