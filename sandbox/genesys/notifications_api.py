"""`/api/v2/notifications`: channels, what they hear, and the WebSocket on which they are told it."""

import json

from flask import Blueprint, Response, request

from sandbox.clock import iso_milliseconds
from sandbox.gateway import ProviderAnswer, hang_up, perform
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.event_channels import MOST_TOPICS, PERMISSION, NotificationChannel, subscription
from sandbox.genesys.provider import PROVIDER, REQUEST_BYTES, signed_in
from sandbox.genesys.socket import serve
from sandbox.world_access import current

blueprint = Blueprint("genesys_notifications", __name__, url_prefix="/genesys")
_CHANNELS = "/api/api/v2/notifications/channels"


@blueprint.route(_CHANNELS, methods=["GET", "POST"])
def channels() -> Response:
    return perform(PROVIDER, "channels", _make if request.method == "POST" else _listed)


@blueprint.get(f"{_CHANNELS}/<channel_id>")
def channel(channel_id: str) -> Response:
    """HEAD is asked for: whether it is still there."""
    return perform(PROVIDER, "channels", lambda: ProviderAnswer(_shown(_own(channel_id))))


@blueprint.route(f"{_CHANNELS}/<channel_id>/subscriptions", methods=["POST", "PUT"])
def subscriptions(channel_id: str) -> Response:
    return perform(PROVIDER, "subscriptions", lambda: _subscribe(channel_id))


@blueprint.route("/streaming/channels/<channel_id>", websocket=True)
def stream(channel_id: str) -> Response:
    """The socket itself takes no token: whoever knows the address of a channel hears it."""
    found = current().channels.get(channel_id)
    if found is None:
        return Response(json.dumps({"message": "no such channel"}), 404, mimetype="application/json")
    if not serve(request.environ, found):
        return Response("an upgrade to a WebSocket is required", 426)
    return hang_up()


def _make() -> ProviderAnswer:
    return ProviderAnswer(_shown(current().channels.make(signed_in().client_id)))


def _listed() -> ProviderAnswer:
    return ProviderAnswer({"entities": [_shown(one) for one in current().channels.of(signed_in().client_id)]})


def _subscribe(channel_id: str) -> ProviderAnswer:
    """PUT replaces, POST adds; either keeps the channel for another day."""
    found, topics = _own(channel_id), _topics()
    wanted = set(topics) if request.method == "PUT" else found.topics | set(topics)
    if len(wanted) > MOST_TOPICS:
        raise GenesysError(400, f"A channel may have at most {MOST_TOPICS} topics", code="bad.request")
    permitted = PERMISSION in signed_in().permissions
    told = [subscription(topic, permitted) for topic in topics]
    refused = {one["id"] for one in told if one["state"] != "Permitted"}
    found.topics = wanted - refused
    found.renew()
    return ProviderAnswer({"entities": told})


def _topics() -> list[str]:
    if request.mimetype != "application/json":
        raise GenesysError(415)
    if len(request.get_data()) > REQUEST_BYTES:
        raise GenesysError(413)
    body = request.get_json(silent=True)
    if not isinstance(body, list) or not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in body):
        raise GenesysError(400, "The body must be an array of topics, each with an id")
    return [one["id"] for one in body]


def _own(channel_id: str) -> NotificationChannel:
    client, found = signed_in(), current().channels.get(channel_id)
    if found is None or found.client_id != client.client_id:
        raise GenesysError(404, f"No channel found with id {channel_id}")
    return found


def _shown(channel: NotificationChannel) -> dict[str, str]:
    address = current().url.replace("http", "ws", 1)
    return {
        "connectUri": f"{address}/genesys/streaming/channels/{channel.id}",
        "id": channel.id,
        "expires": iso_milliseconds(channel.expires),
    }
