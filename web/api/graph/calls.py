"""Calls that web itself makes to Meta for a line: what is harmless when repeated, and in no order with messages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from flask import Response
from gevent.lock import BoundedSemaphore

from db.tenants import lines
from relay.channels.base import Account
from relay.core.errors import SendError
from relay.core.messages import Media, Signal
from web.api.graph.refusals import not_sent
from web.request.context import pool, web_context
from web.request.errors import ApiError

SIGNAL_SECONDS, UPLOAD_SECONDS = 4.0, 30.0
AT_ONCE = 8
"""So many signals and as many uploads of one worker; further ones are told to come again."""
SIGNALS, UPLOADS = BoundedSemaphore(AT_ONCE), BoundedSemaphore(AT_ONCE)
OF_ONE = 2
"""Uploads of one tenant at once, at one worker: so many of its files lie on web's disk."""
_uploading: Counter[str] = Counter()
"""By tenant id; one that uploads nothing is not in it."""


class CallError(NamedTuple):
    """Meta's code, or one of ours, and the reason in words."""

    code: str
    text: str


def refused(error: CallError) -> Response:
    """What Meta said, or what kept the call from being made."""
    return not_sent(error.code, web_context().channels["whatsapp"].cause(error.code), error.text)


@contextmanager
def uploading(tenant_id: str) -> Iterator[None]:
    """Around reading a file and passing it on: a slow caller holds up its own tenant alone. Raises ApiError 429."""
    if _uploading[tenant_id] >= OF_ONE:
        text = f"{OF_ONE} files are being uploaded already; send the next when one of them is done"
        raise ApiError(429, "too_many_requests", text, retry_after=1)
    _uploading[tenant_id] += 1
    try:
        yield
    finally:
        _uploading[tenant_id] -= 1
        if not _uploading[tenant_id]:
            del _uploading[tenant_id]


@contextmanager
def permit(kind: BoundedSemaphore) -> Iterator[None]:
    """Held while a call of SIGNALS or UPLOADS is made. Raises ApiError 503."""
    if not kind.acquire(blocking=False):
        raise ApiError(503, "unavailable", "too many such calls at once; try again in a moment", retry_after=1)
    try:
        yield
    finally:
        kind.release()


def signal(tenant_id: str, line_id: str, wanted: Signal) -> CallError | None:
    """Show it on the phone; answers with why that could not be done."""
    channel, account = web_context().channels["whatsapp"], account_of(tenant_id, line_id)
    deadline = time.monotonic() + SIGNAL_SECONDS
    with permit(SIGNALS):
        return _ended(lambda: channel.send(channel.render_signal(wanted, account), account, deadline))


def upload(tenant_id: str, line_id: str, file: IO[bytes], media: Media) -> str | CallError:
    """Meta's id of the uploaded file, or why there is none. The file is here already: none is waited for."""
    channel, account = web_context().channels["whatsapp"], account_of(tenant_id, line_id)
    ids: list[str] = []
    deadline = time.monotonic() + UPLOAD_SECONDS
    with permit(UPLOADS):
        failed = _ended(lambda: ids.append(channel.upload(file, media, account, deadline)))
    return failed or ids[0]


def account_of(tenant_id: str, line_id: str) -> Account:
    """The WhatsApp side of a line. Raises ApiError where it is gone."""
    found = lines.accounts(pool(), web_context().cipher, line_id)
    if found is None or found.tenant_id != tenant_id:
        raise ApiError(404, "line_missing", "this tenant has no such active line")
    return Account(tenant_id, line_id, found.whatsapp["phone_number_id"], found.whatsapp, found.settings)


def _ended(call: Callable[[], object]) -> CallError | None:
    try:
        call()
    except SendError as error:
        return CallError(error.code, error.text)
    return None
