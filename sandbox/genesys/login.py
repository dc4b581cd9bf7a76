"""The login server: client credentials, and the authorization code an admin brings back from the browser."""

import base64
import binascii
import secrets
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.accounts import OAuthClient
from sandbox.gateway import ProviderAnswer, perform
from sandbox.genesys.provider import PROVIDER
from sandbox.genesys.tokens import Code
from sandbox.refusal import Refusal
from sandbox.world_access import current

FIELDS = ("client_id", "response_type", "redirect_uri", "state", "code_challenge", "code_challenge_method")
# No form-action: browsers apply it to the redirect as well, and that leads to the relay.
CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

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
    """The page on which the sandbox's admin agrees, or does not. Without JavaScript."""
    problem = _cannot_ask()
    if problem:
        return Response(problem + "\n", 400, mimetype="text/plain")
    client = current().accounts.clients[request.args["client_id"]]
    fields = {name: value for name, value in request.args.items() if name in FIELDS}
    response = make_response(render_template("genesys_login.html", organisation=client.organisation, fields=fields))
    response.headers["Content-Security-Policy"] = CSP
    return response


@blueprint.post("/oauth/authorize")
def decide() -> AnyResponse:
    problem = _cannot_ask()
    if problem:
        return Response(problem + "\n", 400, mimetype="text/plain")
    given = request.values
    target, state = given["redirect_uri"], {"state": given["state"]} if "state" in given else {}
    if given.get("answer") != "allow":
        answer = {"error": "access_denied", "error_description": "the admin refused"}
    else:
        code = Code(given["client_id"], target, given.get("code_challenge"))
        answer = {"code": current().tokens.issue_code(code)}
    return redirect(target + ("&" if "?" in target else "?") + urlencode(answer | state))


def _cannot_ask() -> str | None:
    """What is wrong with the question. No redirect then: its address is not to be trusted."""
    given = request.values
    client = current().accounts.clients.get(given.get("client_id", ""))
    if client is None or given.get("response_type") != "code" or not given.get("redirect_uri"):
        return "client_id, redirect_uri and response_type=code are required"
    if "authorization_code" not in client.grants:
        return "unauthorized_client: this client does not use the authorization code grant"
    if "code_challenge" in given and given.get("code_challenge_method") != "S256":
        return "invalid_request: code_challenge_method must be S256"
    return None


def _issue() -> ProviderAnswer:
    world = current()
    if request.mimetype != "application/x-www-form-urlencoded":
        raise LoginRefusal(400, "invalid_request", "the body must be application/x-www-form-urlencoded")
    client, form = _client(), request.form
    user = False
    match form.get("grant_type"):
        case "client_credentials":
            _require(client, "client_credentials")
        case "authorization_code":
            _require(client, "authorization_code")
            code = world.tokens.codes.pop(form.get("code", ""), None)
            if code is None or not code.fits(client.client_id, form.get("redirect_uri", ""), form.get("code_verifier")):
                raise LoginRefusal(
                    400, "invalid_grant", "authorization code is unknown, used, or for another redirect_uri or verifier"
                )
            user = True
        case "refresh_token":
            if not world.tokens.take_refresh(form.get("refresh_token", ""), client.client_id):
                raise LoginRefusal(400, "invalid_grant", "refresh token is unknown or was used")
            user = True
        case None:
            raise LoginRefusal(400, "invalid_request", "missing grant_type")
        case other:
            raise LoginRefusal(400, "unsupported_grant_type", f"unsupported grant_type: {other}")
    seconds = world.genesys_faults.token_seconds
    issued = world.tokens.issue(client.client_id, seconds, user=user)
    extra = {"refresh_token": world.tokens.issue_refresh(client.client_id)} if user else {}
    return ProviderAnswer(
        {"access_token": issued.value, "token_type": "bearer", "expires_in": seconds} | extra,
        headers={"Cache-Control": "no-store"},
    )


def _require(client: OAuthClient, grant: str) -> None:
    if grant not in client.grants:
        raise LoginRefusal(400, "unauthorized_client", f"the client does not use the grant {grant}")


def _client() -> OAuthClient:
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
