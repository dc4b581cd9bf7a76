"""The platform API's surface."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from sandbox.accounts import Integration
from sandbox.gateway import ProviderAnswer, perform
from sandbox.genesys import agentless, analytics, content, conversations, inbound, integrations, structured
from sandbox.genesys.conversations import VIEW
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.provider import PROVIDER, caller, integration
from sandbox.world_access import current

RECEIVE = "conversation:message:receive"
blueprint = Blueprint("genesys_api", __name__, url_prefix="/genesys/api/api/v2")
_INTEGRATIONS = "/conversations/messaging/integrations/open"


def _inbound(call: str, integration_id: str, handler: Callable[[Integration], ProviderAnswer]) -> Response:
    return perform(PROVIDER, call, lambda: handler(integration(integration_id, RECEIVE, messages=True)))


@blueprint.post("/conversations/messages/<integration_id>/inbound/open/message")
def inbound_message(integration_id: str) -> Response:
    return _inbound("inbound_message", integration_id, inbound.message)


@blueprint.post("/conversations/messages/<integration_id>/inbound/open/receipt")
def inbound_receipt(integration_id: str) -> Response:
    return _inbound("inbound_receipt", integration_id, inbound.receipt)


@blueprint.post("/conversations/messages/<integration_id>/inbound/open/event")
def inbound_event(integration_id: str) -> Response:
    return _inbound("inbound_event", integration_id, inbound.event)


@blueprint.post("/conversations/messages/<integration_id>/inbound/open/structured/response")
def inbound_structured_response(integration_id: str) -> Response:
    return _inbound("inbound_structured_response", integration_id, structured.response)


@blueprint.post("/conversations/messages/agentless")
def agentless_message() -> Response:
    return perform(PROVIDER, "agentless", agentless.send)


@blueprint.get("/conversations/messages/<message_id>/details")
def message_details(message_id: str) -> Response:
    return perform(PROVIDER, "message_details", lambda: conversations.details(message_id))


@blueprint.get("/conversations/messages/<conversation_id>")
def conversation(conversation_id: str) -> Response:
    return perform(PROVIDER, "conversation", lambda: conversations.one(conversation_id))


@blueprint.patch("/conversations/messages/<conversation_id>")
def end_conversation(conversation_id: str) -> Response:
    return perform(PROVIDER, "end_conversation", lambda: conversations.end(conversation_id))


@blueprint.post("/conversations/messages/<conversation_id>/messages/bulk")
def conversation_texts(conversation_id: str) -> Response:
    return perform(PROVIDER, "conversation_texts", lambda: conversations.bulk(conversation_id))


@blueprint.get("/conversations/messages/<conversation_id>/messages/<message_id>")
def conversation_message(conversation_id: str, message_id: str) -> Response:
    return perform(PROVIDER, "conversation_message", lambda: conversations.message(conversation_id, message_id))


@blueprint.post("/analytics/conversations/details/query")
def conversation_details() -> Response:
    return perform(PROVIDER, "conversation_details", analytics.details)


@blueprint.get("/users/<user_id>")
def user(user_id: str) -> Response:
    return perform(PROVIDER, "user", lambda: conversations.user(user_id))


@blueprint.get("/downloads/<key>")
def attachment_download(key: str) -> Response:
    def action() -> ProviderAnswer:
        world = current()
        if world.genesys_faults.download_needs_token:
            caller(VIEW)
        attachment = world.desk.downloads.get(key)
        if world.genesys_dice.strikes(world.genesys_faults.media_404_rate):
            world.stats.genesys.errors_injected["media_404"] += 1
            raise GenesysError(404, "Injected by the sandbox")
        if attachment is None or attachment.blob is None:
            raise GenesysError(404)
        return ProviderAnswer(None, raw=Response(attachment.blob.data, content_type=attachment.mime))

    return perform(PROVIDER, "attachment_download", action)


@blueprint.route(_INTEGRATIONS, methods=["GET", "POST"])
def integration_list() -> Response:
    return perform(PROVIDER, "integrations", integrations.create if request.method == "POST" else integrations.listed)


@blueprint.route(_INTEGRATIONS + "/<integration_id>", methods=["GET", "PATCH", "DELETE"])
def integration_one(integration_id: str) -> Response:
    action = {"GET": integrations.one, "PATCH": integrations.change, "DELETE": integrations.remove}[request.method]
    return perform(PROVIDER, "integrations", lambda: action(integration_id))


@blueprint.route("/conversations/messaging/supportedcontent", methods=["GET", "POST"])
def supported_content_list() -> Response:
    return perform(PROVIDER, "supported_content", content.create if request.method == "POST" else content.listed)


@blueprint.get("/conversations/messaging/supportedcontent/<profile_id>")
def supported_content(profile_id: str) -> Response:
    return perform(PROVIDER, "supported_content", lambda: content.one(profile_id))


@blueprint.route("/<path:rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def unknown(rest: str) -> Response:
    def action() -> ProviderAnswer:
        raise GenesysError(404, f"HTTP 404 Not Found: /api/v2/{rest}")

    return perform(PROVIDER, "unknown", action)
