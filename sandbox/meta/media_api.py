"""Media over HTTP: upload, media object, download, deletion."""

from flask import Response, request

from sandbox.accounts import Number
from sandbox.gateway import HTML_502, ProviderAnswer
from sandbox.meta import access
from sandbox.meta.errors import GraphError, not_visible
from sandbox.meta.media import UPLOAD_DAYS, MediaItem, base_type, check_upload
from sandbox.world_access import current

_HTML_401 = HTML_502.replace("502 Bad Gateway", "401 Unauthorized")
_HTML_404 = HTML_502.replace("502 Bad Gateway", "404 Not Found")
_FIELDS = {"messaging_product", "type", "ttl_minutes"}


def upload(number: Number) -> ProviderAnswer:
    if request.mimetype != "multipart/form-data":
        raise GraphError(100, "The upload must be multipart/form-data.")
    product = request.form.get("messaging_product")
    if product != "whatsapp":
        raise GraphError(131009 if product else 131008, "The parameter messaging_product is required, as 'whatsapp'.")
    unknown = set(request.form) - _FIELDS
    if unknown:
        raise GraphError(100, f'Unexpected key "{min(unknown)}" on param "body".')
    part = request.files.get("file")
    if part is None:
        raise GraphError(131008, "The parameter file is required.")
    mime_type, declared = part.headers.get("Content-Type", ""), request.form.get("type", "")
    if not declared:
        raise GraphError(131008, "The parameter type is required.")
    if base_type(declared) != base_type(mime_type):
        raise GraphError(131009, f"Param type: '{declared}' does not match the file's content type '{mime_type}'.")
    data = part.read()
    check_upload(mime_type, len(data))
    world = current()
    item = world.media.add(number.phone_number_id, mime_type, world.blobs.add(data), part.filename, UPLOAD_DAYS)
    return ProviderAnswer({"id": item.id}, message_id=item.id)


def media_object(item_id: str) -> ProviderAnswer:
    item = _owned(item_id)
    world = current()
    if world.meta_dice.strikes(world.meta_faults.media_404_rate):
        world.stats.meta.errors_injected["media_404"] += 1
        raise not_visible(item_id, "get")
    url = f"{world.url}/lookaside/whatsapp_business/attachments/?{world.media.url_query(item)}"
    return ProviderAnswer(
        {
            "messaging_product": "whatsapp",
            "url": url,
            "mime_type": item.mime_type,
            "sha256": item.blob.sha256,
            "file_size": item.blob.size,
            "id": item.id,
        }
    )


def delete(item_id: str) -> ProviderAnswer:
    item = _owned(item_id)
    current().media.remove(item.id)
    return ProviderAnswer({"success": True})


def download() -> ProviderAnswer:
    """Not the Graph API but Meta's file host: it answers in HTML when it refuses."""
    world = current()
    try:
        mine = {each.phone_number_id for each in access.numbers_of_caller()}
    except GraphError as refusal:
        world.stats.meta.refused[f"download: {refusal.reason}"[:120]] += 1
        return ProviderAnswer(None, raw=Response(_HTML_401, 401, mimetype="text/html"))
    item = world.media.by_url(request.args.get("hash", ""), request.args.get("mid", ""))
    if item is None or item.phone_number_id not in mine:
        world.stats.meta.refused["download: address unknown or expired"] += 1
        return ProviderAnswer(None, raw=Response(_HTML_404, 404, mimetype="text/html"))
    if world.meta_dice.strikes(world.meta_faults.media_404_rate):
        world.stats.meta.errors_injected["media_404"] += 1
        return ProviderAnswer(None, raw=Response(_HTML_404, 404, mimetype="text/html"))
    return ProviderAnswer(None, raw=Response(item.blob.data, content_type=item.mime_type))


def _owned(item_id: str) -> MediaItem:
    mine = {each.phone_number_id for each in access.numbers_of_caller()}
    item = current().media.get(item_id)
    wanted = request.args.get("phone_number_id")
    if item is None or item.phone_number_id not in mine or (wanted and wanted != item.phone_number_id):
        raise not_visible(item_id, request.method)
    return item
