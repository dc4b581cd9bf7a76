"""The login server: client credentials, and the authorization code an admin brings back from the browser."""

import base64
import binascii
import secrets
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.accounts import Client
from sandbox.gateway import Answer, Refusal, perform
from sandbox.genesys.provider import PROVIDER
from sandbox.world_access import current

blueprint = Blueprint("genesys_login", __name__, url_prefix="/genesys/login")


class LoginRefusal(Refusal):
    """The login server has OAuth's error shape, not the platform's."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(status, f"{error}: {description}")
        self.error, self.description = error, description

    def body(self) -> dict[str, str]:
        return {"error": self.error, "description": self.description, "error_description": self.description}


@blueprint.post("/oauth/token")
def token() -> Response:
    return perform(PROVIDER, "oauth_token", _issue)


@blueprint.get("/oauth/authorize")
def authorize() -> AnyResponse:
    """No login form: the sandbox's admin always agrees."""
    client_id, target = request.args.get("client_id", ""), request.args.get("redirect_uri", "")
    if client_id not in current().accounts.clients or request.args.get("response_type") != "code" or not target:
        return Response("client_id, redirect_uri and response_type=code are required\n", 400, mimetype="text/plain")
    code = secrets.token_urlsafe(24)
    current().tokens.codes[code] = (client_id, target)
    query = {"code": code} | ({"state": request.args["state"]} if "state" in request.args else {})
    return redirect(target + ("&" if "?" in target else "?") + urlencode(query))


def _issue() -> Answer:
    world = current()
    if request.mimetype != "application/x-www-form-urlencoded":
        raise LoginRefusal(400, "invalid_request", "the body must be application/x-www-form-urlencoded")
    client = _client()
    match request.form.get("grant_type"):
        case "client_credentials":
            extra: dict[str, str] = {}
        case "authorization_code":
            known = world.tokens.codes.pop(request.form.get("code", ""), None)
            if known != (client.client_id, request.form.get("redirect_uri", "")):
                raise LoginRefusal(
                    400, "invalid_grant", "authorization code is unknown, used or for another redirect_uri"
                )
            extra = {"refresh_token": secrets.token_urlsafe(32)}
        case None:
            raise LoginRefusal(400, "invalid_request", "missing grant_type")
        case other:
            raise LoginRefusal(400, "unsupported_grant_type", f"unsupported grant_type: {other}")
    seconds = world.genesys_faults.token_seconds
    issued = world.tokens.issue(client.client_id, seconds)
    return Answer(
        {"access_token": issued.value, "token_type": "bearer", "expires_in": seconds} | extra,
        headers={"Cache-Control": "no-store"},
    )


def _client() -> Client:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise LoginRefusal(400, "invalid_request", "client authentication is required: HTTP Basic")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise LoginRefusal(400, "invalid_request", "malformed Basic credentials") from None
    client = current().accounts.clients.get(client_id)
    if client is None:
        raise LoginRefusal(401, "invalid_client", "client not found: invalid clientId")
    if (
        not secrets.compare_digest(secret.encode(), client.client_secret.encode())
        or current().genesys_faults.client_refused
    ):
        raise LoginRefusal(401, "invalid_client", "authentication failed")
    return client
