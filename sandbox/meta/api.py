"""The Graph API's surface: versions, nodes and edges. What a node is follows from its id, as at Meta."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from sandbox.gateway import ProviderAnswer, ProviderFront, perform
from sandbox.meta import access, app_fields, media_api, messages, nodes, template_list
from sandbox.meta.errors import GraphError, injected, not_visible
from sandbox.meta.routing import api as routing_api
from sandbox.world_access import current

OLDEST, NEWEST = 21, 26
blueprint = Blueprint("meta", __name__)


def _headers() -> dict[str, str]:
    return {"facebook-api-version": f"v{max(OLDEST, _version())}.0"}


PROVIDER = ProviderFront("meta", injected, _headers)


def _version() -> int:
    name = str((request.view_args or {}).get("version", f"v{NEWEST}.0"))
    major, _, minor = name.removeprefix("v").partition(".")
    return int(major) if name.startswith("v") and major.isdigit() and minor == "0" else 0


def _call(name: str, action: Callable[[], ProviderAnswer]) -> Response:
    def versioned() -> ProviderAnswer:
        # An expired version is served by the oldest usable one; one that does not exist yet is refused.
        if not 1 <= _version() <= NEWEST:
            raise GraphError(2500, message=f"Unknown path components: /{request.path.split('/graph/', 1)[-1]}")
        return action()

    return perform(PROVIDER, name, versioned)


def _json_body() -> dict[str, Any]:
    """Graph takes JSON and forms."""
    body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if not isinstance(body, dict):
        raise GraphError(100, "The request body is not a JSON object.")
    return body


@blueprint.post("/graph/<version>/<node>/messages")
def send(version: str, node: str) -> Response:
    def action() -> ProviderAnswer:
        number = access.number(node, access.MESSAGING)
        answer, message_id, reference = messages.accept(current(), number, _json_body())
        return ProviderAnswer(answer, message_id=message_id, reference=reference)

    return _call("messages", action)


@blueprint.post("/graph/<version>/<node>/marketing_messages")
def send_marketing(version: str, node: str) -> Response:
    """The Marketing Messages API: marketing templates and nothing else."""

    def action() -> ProviderAnswer:
        number = access.number(node, access.MESSAGING)
        answer, message_id, reference = messages.accept(current(), number, _json_body(), marketing=True)
        return ProviderAnswer(answer, message_id=message_id, reference=reference)

    return _call("marketing_messages", action)


@blueprint.post("/graph/<version>/<node>/media")
def upload(version: str, node: str) -> Response:
    return _call("media_upload", lambda: media_api.upload(access.number(node, access.MESSAGING)))


@blueprint.post("/graph/<version>/<node>/thread_control")
def thread_control(version: str, node: str) -> Response:
    def action() -> ProviderAnswer:
        return routing_api.thread_control(access.number(node, access.MESSAGING), _json_body())

    return _call("thread_control", action)


@blueprint.post("/business_api/business/whatsapp/phone_numbers/<node>/thread_control")
def thread_control_twin(node: str) -> Response:
    def action() -> ProviderAnswer:
        return routing_api.thread_control(access.number(node, access.MESSAGING), _json_body(), twin=True)

    return perform(PROVIDER, "thread_control", action)


@blueprint.get("/graph/<version>/<node>/routing_roles")
def routing_roles(version: str, node: str) -> Response:
    return _call("routing_roles", lambda: routing_api.roles(access.number(node, access.MESSAGING, access.MANAGEMENT)))


@blueprint.get("/lookaside/whatsapp_business/attachments/")
def download() -> Response:
    return perform(PROVIDER, "media_download", media_api.download)


@blueprint.get("/graph/<version>/debug_token")
def debug_token(version: str) -> Response:
    return _call("debug_token", nodes.debug_token)


@blueprint.get("/graph/<version>/<node>/message_templates")
def message_templates(version: str, node: str) -> Response:
    return _call("message_templates", lambda: template_list.message_templates(access.waba(node)))


@blueprint.get("/graph/<version>/<node>/phone_numbers")
def phone_numbers(version: str, node: str) -> Response:
    return _call("phone_numbers", lambda: nodes.phone_numbers(access.waba(node)))


@blueprint.route("/graph/<version>/<node>/subscribed_apps", methods=["GET", "POST", "DELETE"])
def subscribed_apps(version: str, node: str) -> Response:
    def action() -> ProviderAnswer:
        waba = access.waba(node)
        match request.method:
            case "POST":
                return nodes.subscribe(waba, _json_body())
            case "DELETE":
                return nodes.unsubscribe(waba)
        return nodes.subscriptions(waba)

    return _call("subscribed_apps", action)


@blueprint.route("/graph/<version>/<node>/subscriptions", methods=["GET", "POST", "DELETE"])
def subscriptions(version: str, node: str) -> Response:
    def action() -> ProviderAnswer:
        app = app_fields.app(node, request.method)
        match request.method:
            case "POST":
                return app_fields.subscribe(app, request.args.to_dict() | _json_body())
            case "DELETE":
                return app_fields.unsubscribe(app, request.args.to_dict())
        return app_fields.shown(app)

    return _call("subscriptions", action)


@blueprint.route("/graph/<version>/<node>", methods=["GET", "POST", "DELETE"])
def node(version: str, node: str) -> Response:
    accounts = current().accounts
    if node in accounts.numbers:
        return _call(
            "phone_number",
            lambda: (
                nodes.phone_number(access.number(node, access.MANAGEMENT), _json_body)
                if request.method != "DELETE"
                else _unsupported(node)
            ),
        )
    if node in accounts.wabas:
        return _call("waba", lambda: nodes.waba(access.waba(node)) if request.method == "GET" else _unsupported(node))
    if request.method == "GET":
        return _call("media_object", lambda: media_api.media_object(node))
    if request.method == "DELETE":
        return _call("media_delete", lambda: media_api.delete(node))
    return _call("unknown", lambda: _unsupported(node))


@blueprint.route("/graph/<version>/<path:rest>", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
def unknown(version: str, rest: str) -> Response:
    def action() -> ProviderAnswer:
        access.numbers_of_caller()
        raise GraphError(2500, message=f"Unknown path components: /{rest.split('/', 1)[-1]}")

    return _call("unknown", action)


def _unsupported(node_id: str) -> ProviderAnswer:
    access.numbers_of_caller()
    raise not_visible(node_id, request.method)
