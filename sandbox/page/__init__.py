"""The page: a customer's phone beside an agent's desk."""

from flask import Blueprint, Response, make_response, render_template

blueprint = Blueprint("page", __name__, template_folder="templates", static_folder="static", static_url_path="/page")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def index() -> Response:
    response = make_response(render_template("sandbox.html"))
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
