"""A downloaded file as the actors want it, for both channels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message as Headers

from relay.channels.base import Download
from relay.channels.http.client import HttpTransport, Stream
from relay.channels.http.origins import TrustedOrigins
from relay.channels.text import clean
from relay.core.errors import CannotCarry, Fate, SendError
from relay.core.filenames import UNTOLD, cleaned
from relay.core.languages import phrase
from relay.core.messages import Media

PAGE = (b"<!doctype html", b"<html")
MAY_BE_A_PAGE = ("text/", "application/xhtml", "application/xml", "application/octet-stream")
"""Types of files that may begin as a page does; of one without a type nobody can tell."""


@contextmanager
def public_file(http: HttpTransport, media: Media, deadline: float, tenant_id: str) -> Iterator[Download]:
    """A file from an address that an API client, an agent or a bot's author has named. Raises CannotCarry.

    One try: whoever sent it is told at once, and decoration is left out. Beside public addresses only a stand-in's own
    origin is called, and nobody is shown a token.
    """
    stand_ins = frozenset(one for one in http.graph_origins | http.genesys_origins if one.scheme == "http")
    trust = TrustedOrigins(stand_ins, tenant_id=tenant_id)
    try:
        with http.download(media.source_url or "", trust, deadline) as stream:
            yield as_download(stream, media.mime_type, media.filename)
    except SendError as error:
        raise CannotCarry(error.code, phrase("the file at media_url cannot be had: %(why)s", why=error.text)) from None


def as_download(stream: Stream, mime_type: str, filename: str | None) -> Download:
    """The stream as a Download. What the message said of the type wins over a server's shrug."""
    if stream.status != 200:
        raise refused_file(stream)
    told = stream.headers.get("content-type", "")
    length = stream.headers.get("content-length", "")
    mime_type = mime_type or (told if told.partition(";")[0].strip().lower() not in UNTOLD else "")
    return Download(
        chunks=stream.blocks
        if mime_type.lower().startswith(MAY_BE_A_PAGE) or not mime_type
        else _no_page(stream.blocks),
        mime_type=mime_type,
        size=int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None,
        filename=filename or _filename(stream.headers.get("content-disposition", "")),
    )


def _no_page(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks, or SendError for a web page in the place of a picture: a proxy's word, or somebody's log-in."""
    head = next(blocks, b"")
    if head.lstrip()[:14].lower().startswith(PAGE):
        raise SendError("retry", "media_unavailable", phrase("instead of the file a web page came"), status=200)
    yield head
    yield from blocks


def refused_file(stream: Stream) -> SendError:
    """Why there is no file. Fetching does no harm, so nothing here is unknown."""
    fate: Fate = "retry"
    if stream.status == 429:
        fate = "throttled"
    elif 400 <= stream.status < 500 and stream.status not in (408, 425):
        fate = "refused"
    text = phrase("the file was answered with HTTP %(status)s", status=str(stream.status))
    return SendError(fate, "media_unavailable", text, status=stream.status)


def _filename(disposition: str) -> str | None:
    """The name a Content-Disposition header gives, without any path."""
    if not disposition.isprintable():
        return None
    headers = Headers()
    headers["Content-Disposition"] = disposition
    return cleaned(clean(headers.get_filename())) or None
