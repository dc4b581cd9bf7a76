"""MediaActor: a message's file from the sender's provider to our store, and on to the receiver's."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import IO, Any

from gevent import get_hub
from gevent.lock import BoundedSemaphore

from db.mailbox import messages
from relay.channels.base import Account, Channel, Download
from relay.core.archive import media_key
from relay.core.errors import CannotCarry, RelayError, SendError, StoreError
from relay.core.file_types import type_of_file
from relay.core.filenames import complete
from relay.core.languages import phrase
from relay.core.messages import ChannelName, Direction, Media
from relay.core.queues import SOURCE, TARGET
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Prepare, PrepareDone, PrepareNow, Ref
from relay.runtime.context import Parts
from relay.stores.objects import MEDIA_INBOUND, MEDIA_OUTBOUND, ObjectMissingError

BUCKET: dict[Direction, str] = {"inbound": MEDIA_INBOUND, "outbound": MEDIA_OUTBOUND}

LARGEST = 100 * 1024 * 1024
"""Bytes. Meta's own ceiling for a file, either way."""

UPLOAD_SECONDS = 25 * 86400.0
"""Meta forgets an upload after 30 days; anything older is uploaded again."""

IN_MEMORY = 1024 * 1024
CONVERTED_AT_ONCE = 2
"""Pictures, whoever's they are: a large one takes 360 MB for a moment."""
IDENTIFIED_AT_ONCE = 2
"""Sounds and films, each in a process of its own for a tenth of a second, or for ten where it is a bad one."""
_converting = BoundedSemaphore(CONVERTED_AT_ONCE)
_identifying = BoundedSemaphore(IDENTIFIED_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Turns:
    """A tenant's: one picture and one recording at a time are opened for it, which leaves room for others'."""

    picture: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(1))
    recording: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(1))


class MediaActor(RelayActor):
    """Several per line, one file at a time, so that a slow file delays nobody else's message.

    `turns` are shared by the tenant's.
    """

    longest_seconds = 300.0  # a large file there and back, each way within its deadline

    def __init__(
        self,
        parts: Parts,
        tenant: Ref,
        turns: Turns,
        seconds: float = 120.0,
    ) -> None:
        super().__init__()
        self._parts = parts
        self._tenant = tenant
        self._seconds = seconds
        self._turns = turns
        self._job: Prepare | None = None
        self._accounts: Mapping[ChannelName, Account] = {}

    def handle(self, command: Any) -> None:
        if not isinstance(command, PrepareNow):
            super().handle(command)
            return
        job = command.job
        self._job, self._accounts = job, command.accounts
        try:
            message = job.message
            if message.media is not None:
                media = self._prepare(message.media, job)
                message = replace(message, media=media)
                messages.save_content(self._parts.pool, job.message_id, message)
        except RelayError as error:
            self._answer(job, error)
        except (OSError, MemoryError) as error:  # its disk may be full: no reason to go without the file
            self._answer(job, StoreError(f"this machine is in trouble: {type(error).__name__}"))
        else:
            self._answer(replace(job, message=message), None)

    def recover(self) -> None:
        if self._job is not None:
            self._answer(self._job, RelayError("the relay itself failed while it prepared the file; see its log"))

    def _answer(self, job: Prepare, error: RelayError | None) -> None:
        self._job = None
        tell(self._tenant, PrepareDone(job, self.actor_ref, error))

    def _prepare(self, media: Media, job: Prepare) -> Media:
        target = self._parts.channels[TARGET[job.direction]]
        if media.object_key is None:
            with self._fetched(media, job) as (file, media):
                file, media = opened(file, media, target, self._turns)
                media = target.fit_media(self._kept(file, media, job))
                return self._uploaded(file, media, target, job.direction)
        fresh = media.uploaded_at is not None and time.time() - media.uploaded_at < UPLOAD_SECONDS
        if not target.uploads_media or media.kind == "link" or fresh:
            return media
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                with self._parts.objects.open(media.bucket or BUCKET[job.direction], media.object_key) as stored:
                    for chunk in stored:
                        file.write(chunk)
            except ObjectMissingError:  # our copy is gone for good; perhaps the sender's provider has the file still
                return self._prepare(replace(media, bucket=None, object_key=None), job)
            return self._uploaded(file, media, target, job.direction)

    @contextmanager
    def _fetched(self, media: Media, job: Prepare) -> Iterator[tuple[IO[bytes], Media]]:
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            with self._source(media, job) as download:
                media = _spool(file, media, download)
            yield file, media

    def _source(self, media: Media, job: Prepare) -> AbstractContextManager[Download]:
        """The sender's provider, unless the file came with the message."""
        if media.inline is not None:
            data = media.inline.encode()
            return nullcontext(Download(iter([data]), media.mime_type, len(data)))
        name = SOURCE[job.direction]
        return self._parts.channels[name].fetch(media, self._accounts[name], time.monotonic() + self._seconds)

    def _kept(self, file: IO[bytes], media: Media, job: Prepare) -> Media:
        account = self._accounts[SOURCE[job.direction]]
        bucket = BUCKET[job.direction]
        key = media_key(account.tenant_id, job.line_id, job.message_id, time.time())
        file.seek(0)
        self._parts.objects.put(bucket, key, file, media.size or 0, media.mime_type, filename=media.filename)
        return replace(media, bucket=bucket, object_key=key)

    def _uploaded(self, file: IO[bytes], media: Media, target: Channel, direction: Direction) -> Media:
        if not target.uploads_media or media.kind == "link":
            return media
        file.seek(0)
        deadline = time.monotonic() + self._seconds
        try:
            upload_id = target.upload(file, media, self._accounts[TARGET[direction]], deadline)
        except SendError as error:
            if error.fate != "as_link":
                raise
            return replace(media, kind="link")
        return replace(media, upload_id=upload_id, uploaded_at=time.time())


def opened(file: IO[bytes], media: Media, target: Channel, turns: Turns) -> tuple[IO[bytes], Media]:
    """A picture in a form that the receiver takes, where there is one; sound and film under the type they have.

    Pictures wait for pictures only, recordings for recordings only.
    """
    if target.identifies(media):
        with turns.recording, _identifying:
            return file, target.identified(file, media) or media
    if target.converts(media):
        with turns.picture, _converting:
            return get_hub().threadpool.apply(target.convert, (file, media)) or (file, media)
    return file, media


def _spool(file: IO[bytes], media: Media, download: Download) -> Media:
    """Write the stream down; returns the media with the size, hash and type it really has."""
    digest, size, head = hashlib.sha256(), 0, b""
    for chunk in download.chunks:
        size += len(chunk)
        if size > LARGEST:
            raise CannotCarry(
                "too_large", phrase("the file is larger than %(count)s MB", count=LARGEST // 1024 // 1024)
            )
        head = head or chunk[:8192]
        digest.update(chunk)
        file.write(chunk)
    if size == 0:
        raise CannotCarry("empty_file", phrase("the file is empty"))
    name = media.filename or download.filename
    mime_type = type_of_file((media.mime_type, download.mime_type), head, name)
    return replace(
        media,
        size=size,
        sha256=digest.hexdigest(),
        mime_type=mime_type,
        filename=complete(name, mime_type) if name else None,
    )
