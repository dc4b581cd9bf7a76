"""Room in memory: bounded by line and in all, given in turns by line, first come first served within a line."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from relay.core.conversation.room import MemoryRoom


def entered(room: MemoryRoom, line: str, count: int) -> int:
    """How many of so many new ones of the line get in at once."""
    return sum(room.enter(f"{line}{number}", line) for number in range(count))


def test_a_line_with_a_backlog_takes_no_room_from_one_without() -> None:
    room = MemoryRoom(per_line=4, in_all=10, most_waiting=100)
    assert entered(room, "busy", 60) == 4
    assert entered(room, "calm", 3) == 3


def test_when_one_leaves_the_first_that_waits_gets_in() -> None:
    room = MemoryRoom(per_line=2, in_all=10, most_waiting=100)
    entered(room, "a", 4)
    assert room.following() is None
    room.leave("a")
    assert room.following() == ("a2", "a")
    assert not room.enter("a9", "a"), "nobody passes those who wait"


def test_lines_that_wait_have_turns() -> None:
    room = MemoryRoom(per_line=4, in_all=4, most_waiting=100)
    entered(room, "a", 8)
    entered(room, "b", 2)
    found = []
    for _ in range(4):
        room.leave("a")
        found.append(room.following())
    assert found == [("a4", "a"), ("b0", "b"), ("a5", "a"), ("b1", "b")]


def test_who_waits_is_remembered_once_and_no_more_than_so_many() -> None:
    room = MemoryRoom(per_line=1, in_all=1, most_waiting=2)
    assert [room.enter(name, "a") for name in ("inside", "x", "x", "y", "forgotten")] == [True, *[False] * 4]
    found = []
    for _ in range(3):
        room.leave("a")
        found.append(room.following())
    assert found[:2] == [("x", "a"), ("y", "a")]
    assert found[2] is None


def test_room_is_wanted_of_whoever_is_in_the_way() -> None:
    room = MemoryRoom(per_line=2, in_all=5, most_waiting=10)
    entered(room, "a", 3)
    entered(room, "b", 1)
    assert (room.wanted("a"), room.wanted("b"), room.wanted(None)) == (True, False, True)
    entered(room, "c", 2)
    assert room.wanted("b"), "there is no room at all"
    room.leave("a")
    room.following()
    assert not room.wanted(None)


STEP = st.tuples(st.sampled_from(["enter", "leave"]), st.sampled_from("abc"), st.integers(0, 30))


@given(st.lists(STEP, max_size=150))
def test_nobody_is_lost_bounds_hold_and_no_room_is_left_while_somebody_fits(steps: list[tuple[str, str, int]]) -> None:
    room, inside, waiting = MemoryRoom(per_line=3, in_all=6, most_waiting=1000), set[str](), dict[str, list[str]]()
    for what, line, number in steps:
        name = f"{line}{number}"
        if what == "enter" and name not in inside:
            its = waiting.setdefault(line, [])
            if room.enter(name, line):
                assert not its, "it has passed somebody"
                inside.add(name)
            elif name not in its:
                its.append(name)
        elif what == "leave" and (leaving := next((one for one in sorted(inside) if one[0] == line), None)):
            inside.remove(leaving)
            room.leave(line)
        while (found := room.following()) is not None:
            assert waiting[found[1]].pop(0) == found[0], "the first that came"
            inside.add(found[0])
        lines = Counter(one[0] for one in inside)
        assert len(inside) <= 6 and all(count <= 3 for count in lines.values())
        if len(inside) < 6:
            assert all(lines[line] == 3 for line, its in waiting.items() if its)
