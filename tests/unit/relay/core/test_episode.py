"""Trouble is told when it begins and when it is over, however many calls fail or work meanwhile."""

from relay.core.episode import QUIET_SECONDS, Episode


def test_it_begins_once() -> None:
    episode = Episode()
    assert [episode.failed(now) for now in (1.0, 1.1, 50.0)] == [True, False, False]


def test_it_is_not_over_while_some_calls_work_and_others_fail() -> None:
    episode = Episode()
    episode.failed(1.0)
    assert episode.worked(1.1) is None
    assert not episode.failed(4.0)
    assert episode.worked(4.0 + QUIET_SECONDS - 0.1) is None
    assert episode.lasts


def test_it_is_over_once_with_how_long_it_lasted() -> None:
    episode = Episode()
    episode.failed(10.0)
    episode.failed(70.0)
    assert [episode.worked(now) for now in (70.0 + QUIET_SECONDS, 99.0)] == [60.0, None]
    assert episode.failed(100.0), "what comes later is another one"
