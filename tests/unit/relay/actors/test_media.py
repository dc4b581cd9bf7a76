"""Files that have to be opened: a few at a time, and no tenant's keep the others' waiting."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import IO, Any

import gevent
import pytest
from gevent.event import Event

from relay.actors.media import CONVERTED_AT_ONCE, IDENTIFIED_AT_ONCE, Turns, opened
from relay.core.messages import Media
from tests.waiting import PATIENCE, wait_until

PHOTO, SOUND = Media("image", "image/tiff"), Media("audio", "audio/ogg")
TEXT = Media("document", "text/plain")


class Slow:
    """A side that takes its time over every picture, in a thread, until it is told to go on."""

    def __init__(self) -> None:
        self.begun = self.ended = self.most = 0
        self._wait, self._go = os.pipe()
        self.looked_into = 0
        self.let_go = Event()

    def converts(self, media: Media) -> bool:
        return media.kind == "image"

    def convert(self, file: IO[bytes], media: Media) -> tuple[IO[bytes], Media]:
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)
        os.read(self._wait, 1)
        self.ended += 1
        return file, media

    def identifies(self, media: Media) -> bool:
        return media.kind == "audio"

    def identified(self, file: IO[bytes], media: Media) -> Media | None:
        self.looked_into += 1
        self.let_go.wait()
        return None

    def go_on(self) -> None:
        ended = self.ended
        os.write(self._go, b".")
        wait_until(lambda: self.ended > ended, message="one to end")

    def close(self) -> None:
        self.let_go.set()
        os.close(self._go)
        os.close(self._wait)


@pytest.fixture
def slow() -> Iterator[Any]:
    slow = Slow()
    yield slow
    slow.close()


def test_one_tenants_pictures_leave_room_for_anothers(slow: Any) -> None:
    many, other = Turns(), Turns()
    waiting = [gevent.spawn(opened, io.BytesIO(), PHOTO, slow, many) for _ in range(3)]
    wait_until(lambda: slow.begun == 1, message="the first to begin")
    waiting.append(gevent.spawn(opened, io.BytesIO(), PHOTO, slow, other))
    wait_until(lambda: slow.begun == 2, message="the other tenant's to begin")
    waiting.append(gevent.spawn(opened, io.BytesIO(), PHOTO, slow, Turns()))
    for _ in waiting:
        slow.go_on()
    assert len(gevent.joinall(waiting, timeout=PATIENCE)) == 5
    assert slow.most == CONVERTED_AT_ONCE, "memory bounds how many are under way"


def test_one_tenants_recordings_leave_room_for_anothers(slow: Any) -> None:
    many = Turns()
    waiting = [gevent.spawn(opened, io.BytesIO(), SOUND, slow, turns) for turns in (many, many, many, Turns())]
    wait_until(lambda: slow.looked_into == 2, message="one of each tenant to begin")
    waiting.append(gevent.spawn(opened, io.BytesIO(), SOUND, slow, Turns()))
    gevent.idle()
    assert slow.looked_into == IDENTIFIED_AT_ONCE
    slow.let_go.set()
    assert len(gevent.joinall(waiting, timeout=PATIENCE)) == 5
    assert slow.looked_into == 5


def test_recordings_stop_no_picture(slow: Any) -> None:
    turns = Turns()
    waiting = [gevent.spawn(opened, io.BytesIO(), SOUND, slow, each) for each in (turns, Turns(), Turns())]
    wait_until(lambda: slow.looked_into == IDENTIFIED_AT_ONCE, message="their places to be taken")
    waiting.append(gevent.spawn(opened, io.BytesIO(), PHOTO, slow, turns))
    wait_until(lambda: slow.begun == 1, message="a picture of the same tenant to begin")
    slow.go_on()
    slow.let_go.set()
    assert len(gevent.joinall(waiting, timeout=PATIENCE)) == 4


def test_what_is_not_opened_waits_for_nobody(slow: Any) -> None:
    file, taken = io.BytesIO(), Turns()
    taken.picture.acquire()
    taken.recording.acquire()
    assert opened(file, TEXT, slow, taken) == (file, TEXT)
