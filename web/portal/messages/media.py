"""Files of messages, streamed through the portal: nobody needs to reach the object store, and nothing in them runs."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import UUID

from flask import Response, request
from werkzeug.datastructures import ContentRange
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from db.views import history
from relay.core.downloads import FILMS, PICTURES, SHOWN, SOUNDS, disposition, type_to_serve
from relay.core.explain.steps import File
from relay.core.filenames import complete
from relay.stores.objects import ObjectMissingError
from web.portal.frame.blueprint import portal, tenant, tenant_pool
from web.request import data_access
from web.request.context import web_context
from web.request.errors import ApiError
from web.request.principal import needs

CSP = (
    "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
)
"""A browser draws a lone picture or film with a style of its own; sandboxed, and never HTML."""


@portal.get("/tenants/<uuid:tenant_id>/messages/<uuid:message_id>/file")
@needs("messages:read", per_line=True)
def media(tenant_id: UUID, message_id: UUID) -> Response:
    """The copy that the relay keeps; a part of it where a player asks for one."""
    found = history.get(tenant_pool(), tenant().id, str(message_id))
    file = found.message.media if found else None
    if found is None or file is None or file.bucket is None or file.object_key is None:
        raise ApiError(404, "not_found", "there is no copy of a file of this message")
    look = {"subject": str(message_id), "conversation_id": found.message.conversation_id}
    data_access.record_once(tenant().id, ("file", str(message_id)), "media.viewed", **look)
    try:
        return _answer(file, file.bucket, file.object_key)
    except ObjectMissingError:
        raise ApiError(404, "not_found", "the copy of this file is gone from the object store") from None


def _answer(file: File, bucket: str, key: str) -> Response:
    size = web_context().objects.size(bucket, key)
    begin, end = _wanted(size)
    response = Response(mimetype=_type(file), headers=_headers(file))
    response.accept_ranges = "bytes"
    response.content_length = end - begin
    if (begin, end) != (0, size):
        response.status_code = 206
        response.content_range = ContentRange("bytes", begin, end, size)
    if request.method == "GET" and end > begin:
        held = ExitStack()
        response.response = held.enter_context(web_context().objects.open(bucket, key, begin, end - begin))
        response.call_on_close(held.close)
    return response


def _wanted(size: int) -> tuple[int, int]:
    """From where to where (exclusive). What is not one range of bytes is answered with the whole."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return 0, size
    found: tuple[int, int] | None = asked.range_for_length(size)
    if found is None:
        raise RequestedRangeNotSatisfiable(size)
    return found


def _type(file: File) -> str:
    return type_to_serve(file.mime_type).partition(";")[0]


def shows(file: File) -> str | None:
    """How a page embeds it: img, audio, video, or not at all (a download)."""
    if file.object_key is None:
        return None
    kind = _type(file)
    return "img" if kind in PICTURES else "audio" if kind in SOUNDS else "video" if kind in FILMS else None


def _headers(file: File) -> dict[str, str]:
    return {
        "Content-Disposition": disposition(
            complete(file.filename or file.kind, _type(file)), "inline" if _type(file) in SHOWN else "attachment"
        ),
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


portal.add_app_template_filter(shows, "shows")
