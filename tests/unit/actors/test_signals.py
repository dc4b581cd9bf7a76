"""Read marks and typing: the newest counts, what is late is not shown, and a lost read mark is tried again."""

from __future__ import annotations

from relay.core.conversation.signals import LOST_SECONDS, READ_TRIES, TYPING_AGAIN, TYPING_FRESH, Signals
from relay.core.messages import Signal

NOW = 1_000.0


def test_nothing_is_due_at_first() -> None:
    signals = Signals()
    assert (signals.due(NOW), bool(signals)) == (None, False)
    assert signals.launch(NOW, "wamid.1", show_typing=True) is None


def test_the_newest_read_mark_replaces_the_older_one() -> None:
    signals = Signals()
    signals.read("wamid.1")
    signals.read("wamid.2")
    assert signals.launch(NOW, None, show_typing=True) == Signal("read", "wamid.2")
    signals.told(again=False, now=NOW)
    assert not signals


def test_a_read_mark_that_comes_while_another_is_under_way_goes_next() -> None:
    signals = Signals()
    signals.read("wamid.1")
    signals.launch(NOW, None, show_typing=True)
    signals.read("wamid.2")
    assert signals.due(NOW) == NOW + LOST_SECONDS, "one at a time"
    signals.told(again=False, now=NOW)
    assert signals.launch(NOW, None, show_typing=True) == Signal("read", "wamid.2")


def test_typing_names_the_newest_message_and_is_not_shown_all_the_time() -> None:
    signals = Signals()
    signals.typing(NOW)
    assert signals.launch(NOW, "wamid.9", show_typing=True) == Signal("typing", "wamid.9")
    signals.told(again=False, now=NOW)
    signals.typing(NOW + 1)
    assert signals.due(NOW + 1) is None
    signals.typing(NOW + TYPING_AGAIN)
    assert signals.launch(NOW + TYPING_AGAIN, "wamid.9", show_typing=True) == Signal("typing", "wamid.9")


def test_typing_that_waited_too_long_is_over() -> None:
    signals = Signals()
    signals.typing(NOW)
    assert signals.due(NOW + TYPING_FRESH + 0.1) is None


def test_typing_needs_a_message_to_refer_to_and_a_line_that_wants_it() -> None:
    for newest, show in ((None, True), ("wamid.1", False)):
        signals = Signals()
        signals.typing(NOW)
        assert signals.launch(NOW, newest, show_typing=show) is None
        assert signals.due(NOW) is None, "and it is not asked for again"


def test_typing_marks_the_same_message_read() -> None:
    signals = Signals()
    signals.read("wamid.1")
    signals.typing(NOW)
    assert signals.launch(NOW, "wamid.1", show_typing=True) == Signal("typing", "wamid.1")
    signals.told(again=False, now=NOW)
    assert not signals


def test_a_read_mark_that_failed_is_tried_again_a_few_times() -> None:
    signals = Signals()
    signals.read("wamid.1")
    now = NOW
    for _ in range(READ_TRIES - 1):
        assert signals.launch(now, None, show_typing=True) is not None
        signals.told(again=True, now=now)
        assert signals.due(now) != now, "not at once"
        now += 60
    signals.launch(now, None, show_typing=True)
    signals.told(again=True, now=now)
    assert not signals


def test_a_signal_without_word_does_not_block_the_next() -> None:
    signals = Signals()
    signals.read("wamid.1")
    signals.launch(NOW, None, show_typing=True)
    assert signals.launch(NOW + LOST_SECONDS, None, show_typing=True) == Signal("read", "wamid.1")


def test_typing_without_word_is_not_due_for_ever() -> None:
    signals = Signals()
    signals.typing(NOW)
    signals.launch(NOW, "wamid.1", show_typing=True)
    assert signals.launch(NOW + LOST_SECONDS, "wamid.1", show_typing=True) is None
    assert signals.due(NOW + LOST_SECONDS) is None


def test_typing_that_failed_leaves_the_read_mark_to_go_by_itself() -> None:
    signals = Signals()
    signals.read("wamid.1")
    signals.typing(NOW)
    signals.launch(NOW, "wamid.1", show_typing=True)
    signals.told(again=True, now=NOW)
    assert signals.launch(NOW, "wamid.1", show_typing=True) == Signal("read", "wamid.1")
