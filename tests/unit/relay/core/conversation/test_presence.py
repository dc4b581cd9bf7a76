"""Read marks and typing: the newest counts, what is late is not shown, and a lost read mark is tried again."""

from __future__ import annotations

from relay.core.conversation.presence import LOST_SECONDS, READ_TRIES, TYPING_AGAIN, TYPING_FRESH, Presence
from relay.core.messages import Signal

NOW = 1_000.0


def test_nothing_is_due_at_first() -> None:
    presence = Presence()
    assert (presence.due(NOW), bool(presence)) == (None, False)
    assert presence.launch(NOW, "wamid.1", show_typing=True) is None


def test_the_newest_read_mark_replaces_the_older_one() -> None:
    presence = Presence()
    presence.read("wamid.1")
    presence.read("wamid.2")
    assert presence.launch(NOW, None, show_typing=True) == Signal("read", "wamid.2")
    presence.ended(again=False, now=NOW)
    assert not presence


def test_a_read_mark_that_comes_while_another_is_under_way_goes_next() -> None:
    presence = Presence()
    presence.read("wamid.1")
    presence.launch(NOW, None, show_typing=True)
    presence.read("wamid.2")
    assert presence.due(NOW) == NOW + LOST_SECONDS, "one at a time"
    presence.ended(again=False, now=NOW)
    assert presence.launch(NOW, None, show_typing=True) == Signal("read", "wamid.2")


def test_typing_names_the_newest_message_and_is_not_shown_all_the_time() -> None:
    presence = Presence()
    presence.typing(NOW)
    assert presence.launch(NOW, "wamid.9", show_typing=True) == Signal("typing", "wamid.9")
    presence.ended(again=False, now=NOW)
    presence.typing(NOW + 1)
    assert presence.due(NOW + 1) is None
    presence.typing(NOW + TYPING_AGAIN)
    assert presence.launch(NOW + TYPING_AGAIN, "wamid.9", show_typing=True) == Signal("typing", "wamid.9")


def test_typing_that_waited_too_long_is_over() -> None:
    presence = Presence()
    presence.typing(NOW)
    assert presence.due(NOW + TYPING_FRESH + 0.1) is None


def test_typing_needs_a_message_to_refer_to_and_a_line_that_wants_it() -> None:
    for newest, show in ((None, True), ("wamid.1", False)):
        presence = Presence()
        presence.typing(NOW)
        assert presence.launch(NOW, newest, show_typing=show) is None
        assert presence.due(NOW) is None, "and it is not asked for again"


def test_typing_marks_the_same_message_read() -> None:
    presence = Presence()
    presence.read("wamid.1")
    presence.typing(NOW)
    assert presence.launch(NOW, "wamid.1", show_typing=True) == Signal("typing", "wamid.1")
    presence.ended(again=False, now=NOW)
    assert not presence


def test_a_read_mark_that_failed_is_tried_again_a_few_times() -> None:
    presence = Presence()
    presence.read("wamid.1")
    now = NOW
    for _ in range(READ_TRIES - 1):
        assert presence.launch(now, None, show_typing=True) is not None
        presence.ended(again=True, now=now)
        assert presence.due(now) != now, "not at once"
        now += 60
    presence.launch(now, None, show_typing=True)
    presence.ended(again=True, now=now)
    assert not presence


def test_a_signal_without_word_does_not_block_the_next() -> None:
    presence = Presence()
    presence.read("wamid.1")
    presence.launch(NOW, None, show_typing=True)
    assert presence.launch(NOW + LOST_SECONDS, None, show_typing=True) == Signal("read", "wamid.1")


def test_typing_without_word_is_not_due_for_ever() -> None:
    presence = Presence()
    presence.typing(NOW)
    presence.launch(NOW, "wamid.1", show_typing=True)
    assert presence.launch(NOW + LOST_SECONDS, "wamid.1", show_typing=True) is None
    assert presence.due(NOW + LOST_SECONDS) is None


def test_typing_that_failed_leaves_the_read_mark_to_go_by_itself() -> None:
    presence = Presence()
    presence.read("wamid.1")
    presence.typing(NOW)
    presence.launch(NOW, "wamid.1", show_typing=True)
    presence.ended(again=True, now=NOW)
    assert presence.launch(NOW, "wamid.1", show_typing=True) == Signal("read", "wamid.1")
