"""The page: a customer's phone beside an agent's desk."""

from flask import Blueprint, Response, make_response, render_template

from sandbox.control import authenticator
from sandbox.world_access import current

blueprint = Blueprint("page", __name__, template_folder="templates", static_folder="static", static_url_path="/page")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def index() -> Response:
    return _page("sandbox.html")


@blueprint.get("/accounts")
def accounts() -> Response:
    """All that can be entered in the relay's wizard: nothing here is secret."""
    return _page("accounts.html", accounts=current().accounts)


@blueprint.get("/authenticator")
def codes() -> Response:
    """What the demo's operator types at the second step of the log-in."""
    return _page("authenticator.html", codes=authenticator.codes())


def _page(template: str, **context: object) -> Response:
    response = make_response(render_template(template, **context))
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
