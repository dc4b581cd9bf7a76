"""Pictures that have to be drawn anew: a few at a time, and no tenant's keep the others' waiting."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import IO, Any

import gevent
import pytest
from gevent.lock import BoundedSemaphore

from relay.actors.media import CONVERTED_AT_ONCE, converted
from relay.core.messages import Media
from tests.waiting import PATIENCE, wait_until

PHOTO, SOUND = Media("image", "image/tiff"), Media("audio", "audio/ogg")


class Slow:
    """A side that takes its time over every picture, in a thread, until it is told to go on."""

    def __init__(self) -> None:
        self.begun = self.ended = self.most = 0
        self._wait, self._go = os.pipe()

    def converts(self, media: Media) -> bool:
        return media.kind == "image"

    def convert(self, file: IO[bytes], media: Media) -> tuple[IO[bytes], Media]:
        self.begun += 1
        self.most = max(self.most, self.begun - self.ended)
        os.read(self._wait, 1)
        self.ended += 1
        return file, media

    def go_on(self) -> None:
        ended = self.ended
        os.write(self._go, b".")
        wait_until(lambda: self.ended > ended, message="one to end")

    def close(self) -> None:
        os.close(self._go)
        os.close(self._wait)


@pytest.fixture
def slow() -> Iterator[Any]:
    slow = Slow()
    yield slow
    slow.close()


def test_one_tenants_pictures_leave_room_for_anothers(slow: Any) -> None:
    many, other = BoundedSemaphore(1), BoundedSemaphore(1)
    waiting = [gevent.spawn(converted, io.BytesIO(), PHOTO, slow, many) for _ in range(3)]
    wait_until(lambda: slow.begun == 1, message="the first to begin")
    waiting.append(gevent.spawn(converted, io.BytesIO(), PHOTO, slow, other))
    wait_until(lambda: slow.begun == 2, message="the other tenant's to begin")
    waiting.append(gevent.spawn(converted, io.BytesIO(), PHOTO, slow, BoundedSemaphore(1)))
    for _ in waiting:
        slow.go_on()
    assert len(gevent.joinall(waiting, timeout=PATIENCE)) == 5
    assert slow.most == CONVERTED_AT_ONCE, "memory bounds how many are under way"


def test_what_is_not_converted_waits_for_nobody(slow: Any) -> None:
    file, taken = io.BytesIO(), BoundedSemaphore(1)
    taken.acquire()
    assert converted(file, SOUND, slow, taken) == (file, SOUND)
