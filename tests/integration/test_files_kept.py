"""A message's file on its way through our own store, and what becomes of it while that is in trouble."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from gevent.lock import BoundedSemaphore

from db.pool import Pool
from demo.stack import S3Server
from relay.actors.media import MediaActor
from relay.channels.base import Download
from relay.core.errors import StoreError
from relay.core.messages import Media
from relay.core.retry import before_next_preparation
from relay.runtime.commands import Prepare, PrepareDone, PrepareNow
from relay.stores.objects import MEDIA_OUTBOUND, ObjectStore
from tests.integration.rows import new_message
from tests.unit.relay.actors.listening import Listener
from tests.waiting import wait_until

PICTURE = b"\x89PNG and so on"


class Side:
    """Both sides' channel: has the agent's file, and takes it as an upload."""

    uploads_media = True

    def __init__(self) -> None:
        self.fetched = 0
        self.uploaded: list[bytes] = []
        self.trouble: Exception | None = None

    @contextmanager
    def fetch(self, *_: Any) -> Iterator[Download]:
        self.fetched += 1
        if self.trouble is not None:
            raise self.trouble
        yield Download(iter([PICTURE]), "image/png", len(PICTURE))

    def converts(self, _media: Media) -> bool:
        return False

    def identifies(self, _media: Media) -> bool:
        return False

    def fit_media(self, media: Media) -> Media:
        return media

    def upload(self, file: Any, *_: Any) -> str:
        self.uploaded.append(file.read())
        return "upload-1"


@pytest.fixture
def prepare(pool: Pool, line_id: str, s3: S3Server) -> Iterator[Callable[[Side, Media], PrepareDone]]:
    with closing(ObjectStore(s3.endpoint, s3.access_key, s3.secret_key, False, f"http://{s3.endpoint}")) as store:
        store.ensure_buckets()

        def run(side: Side, media: Media) -> PrepareDone:
            row = new_message(pool, line_id)
            account: Any = SimpleNamespace(tenant_id=row.tenant_id)
            parts: Any = SimpleNamespace(channels={"whatsapp": side, "genesys": side}, objects=store, pool=pool)
            heard: list[Any] = []
            listener = Listener.start(heard)
            accounts: Any = {"whatsapp": account, "genesys": account}
            actor = MediaActor.start(parts, listener, BoundedSemaphore(1))
            message = replace(row.message, media=media)
            actor.tell(PrepareNow(Prepare(line_id, listener, row.id, "outbound", message), accounts))
            wait_until(lambda: heard, message="the file")
            for ref in (actor, listener):
                ref.stop()
            prepared: PrepareDone = heard[0]
            return prepared

        yield run


def test_a_copy_that_is_gone_is_fetched_again(prepare: Callable[[Side, Media], PrepareDone]) -> None:
    """Waiting would not bring it back, and its whole conversation would wait with it."""
    side = Side()
    prepared = prepare(side, Media("image", "image/png", bucket=MEDIA_OUTBOUND, object_key="gone/for/good"))
    assert prepared.error is None
    assert prepared.job.message.media is not None
    # By tenant and day: by these a bucket's rules say what is kept for how long.
    key = prepared.job.message.media.object_key or ""
    assert re.fullmatch(r"[^/]+/20\d\d/[01]\d/[0-3]\d/[^/]+/[0-9a-f-]{36}", key), key
    assert (side.fetched, side.uploaded) == (1, [PICTURE])


@pytest.mark.parametrize("trouble", [OSError(errno.ENOSPC, "no space left on device"), MemoryError()])
def test_for_this_machines_trouble_no_message_goes_without_its_file(
    prepare: Callable[[Side, Media], PrepareDone], trouble: Exception
) -> None:
    side = Side()
    side.trouble = trouble
    prepared = prepare(side, Media("image", "image/png"))
    assert isinstance(prepared.error, StoreError)
    assert before_next_preparation(prepared.error, 1, 0.0, others_work=True)
