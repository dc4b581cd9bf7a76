"""POST /{version}/{phone_number_id}/media: a file on its way to Meta. It is kept nowhere here."""

from __future__ import annotations

import re

from flask import Response, request
from pydantic import BaseModel

from relay.channels.base import JsonObject
from relay.core.filenames import cleaned
from relay.core.messages import Media
from web.api.graph import calls
from web.api.graph.blueprint import REFUSALS, GraphPath, as_at_meta, shown
from web.api.graph.refusals import refusal
from web.api.messages.state import line_of
from web.request import idempotency
from web.request.principal import needs

api = as_at_meta("graph_media", __name__)

LARGEST = 16 * 1024 * 1024
"""Bytes. Documents may have 100 MB at Meta: larger ones are sent by link."""
AROUND = 16 * 1024
"""Bytes of the form around the file."""
FORM: JsonObject = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "messaging_product": {"type": "string", "enum": ["whatsapp"]},
                    "type": {"type": "string", "description": "MIME type; left out: that of the part"},
                    "file": {"type": "string", "format": "binary"},
                },
                "required": ["file"],
            }
        }
    },
}
"""What flask-openapi3 cannot tell of a form that is read by the view, after its tenant has room for it."""
_WORD = r"[a-z0-9!#$&^_.+-]{1,127}"
_MEDIA_TYPE = re.compile(rf"{_WORD}/{_WORD}( *;[ -~]{{1,127}})?", re.IGNORECASE | re.ASCII)
"""With a parameter at most, as in audio/ogg; codecs=opus. It becomes a header of what goes to Meta."""


class GraphUploaded(BaseModel):
    id: str


@api.post(
    "/<graph_version:version>/<phone_number_id>/media",
    summary="Upload a file as at Meta's own address",
    responses={200: GraphUploaded, **REFUSALS},
)
@needs("messages:send", per_line=True)
@idempotency.own
def upload_as_at_meta(path: GraphPath) -> Response:
    """Up to 16 MB, passed on to Meta at once; the id that Meta gives is good for 30 days, on this number."""
    tenant_id, line_id = line_of(path.phone_number_id)
    if (request.content_length or 0) > LARGEST + AROUND:
        text = "a file of more than 16 MB is not passed on; send it by link (document.link, video.link) instead"
        return refusal(131053, text, 413)
    request.max_content_length = LARGEST + AROUND
    with calls.uploading(tenant_id):
        file = request.files.get("file")
        if file is None:
            return refusal(131008, "file is missing; send multipart/form-data with the parts file and type")
        mime = (request.form.get("type") or file.mimetype or "").strip()
        if not _MEDIA_TYPE.fullmatch(mime):
            return refusal(131053, "type must be the file's media type, such as image/jpeg or application/pdf")
        name = cleaned(file.filename or "") or None
        found = calls.upload(tenant_id, line_id, file.stream, Media("document", mime, filename=name))
    return calls.refused(found) if isinstance(found, calls.CallError) else shown(GraphUploaded(id=found))
