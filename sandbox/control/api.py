"""`/control`: faults, limits, stats, events, reset."""

import io
from typing import Any

from flask import Blueprint, Response, jsonify, request, send_file

from sandbox.control import errors, forms
from sandbox.control.errors import ControlError
from sandbox.faults import GenesysFaults, MetaFaults
from sandbox.limits import GenesysLimits, MetaLimits
from sandbox.world_access import current

blueprint = Blueprint("control", __name__, url_prefix="/control")
errors.register(blueprint)
_FAULTS: dict[str, Any] = {"meta": MetaFaults, "genesys": GenesysFaults}
_LIMITS: dict[str, Any] = {"meta": MetaLimits, "genesys": GenesysLimits}
_INLINE = ("image/jpeg", "image/png", "image/webp", "image/gif", "video/", "audio/", "image/bmp")


@blueprint.get("/health")
def health() -> Response:
    return jsonify(status="ok")


@blueprint.get("/stats")
def stats() -> Response:
    world = current()
    world.stats.meta.webhooks["waiting"] = world.meta_outbox.waiting
    world.stats.genesys.webhooks["waiting"] = world.genesys_outbox.waiting
    return jsonify(world.stats.view())


@blueprint.get("/journal")
def journal() -> Response:
    number = request.args.get("after", "0")
    if not number.isdigit():
        raise ControlError("after takes the number of an entry")
    return jsonify(entries=current().journal.after(int(number)))


@blueprint.get("/events")
def events() -> Response:
    return Response(
        current().events.stream(),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@blueprint.post("/reset")
def reset() -> Response:
    fields = forms.body() if request.get_data() else {}
    keep = fields.get("keep", [])
    if not isinstance(keep, list) or not set(keep) <= {"faults", "limits"}:
        raise ControlError("keep takes faults and limits")
    current().reset(keep)
    return jsonify(status="reset")


@blueprint.get("/faults")
def faults() -> Response:
    return jsonify({side: current().faults(side).model_dump() for side in _FAULTS})


@blueprint.post("/faults")
def set_faults() -> Response:
    """Checked completely before anything changes."""
    world, given = current(), _sides(forms.body())
    changed = {
        side: _FAULTS[side].model_validate({} if fields is None else world.faults(side).model_dump() | fields)
        for side, fields in given.items()
    }
    for side, settings in changed.items():
        world.set_faults(side, settings)
        if given[side] and given[side].get("token_expired"):
            world.expire_tokens(side)
        if given[side] and "seed" in given[side]:
            world.dice(side).seed(settings.seed)
    world.events.changed("settings")
    return faults()


@blueprint.delete("/faults")
def clear_faults() -> Response:
    current().clear_faults()
    current().events.changed("settings")
    return faults()


@blueprint.get("/limits")
def limits() -> Response:
    return jsonify(current().limits.model_dump())


@blueprint.post("/limits")
def set_limits() -> Response:
    world, given = current(), _sides(forms.body())
    changed = {
        side: _LIMITS[side].model_validate(getattr(world.limits, side).model_dump() | (fields or {}))
        for side, fields in given.items()
    }
    for side, settings in changed.items():
        setattr(world.limits, side, settings)
    return limits()


@blueprint.get("/blobs/<sha256>")
def blob(sha256: str) -> Response:
    """Bytes that passed through. What a browser might run is offered as a download instead."""
    found = current().blobs.get(sha256)
    if found is None:
        raise ControlError("these bytes are gone", 404)
    mime_type = request.args.get("type", "application/octet-stream")
    inline = mime_type.split(";")[0].startswith(_INLINE)
    response = send_file(
        io.BytesIO(found.data),
        mimetype=mime_type if inline else "application/octet-stream",
        download_name=request.args.get("name") or sha256,
        as_attachment=not inline,
        conditional=True,
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _sides(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = set(fields) - {"meta", "genesys"}
    if unknown:
        raise ControlError(f"unknown side: {min(unknown)} (meta and genesys are known)")
    if not all(value is None or isinstance(value, dict) for value in fields.values()):
        raise ControlError("each side must be an object or null")
    return fields
