"""The Flask app. Both providers, the control interface and the page share one world."""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from sandbox import page
from sandbox.control import accounts, agent, api, authenticator, gestures, phone, routing, templates
from sandbox.genesys import api as genesys_api
from sandbox.genesys import login, notifications_api
from sandbox.meta import api as meta_api
from sandbox.world import World


def create_app(url: str = "http://127.0.0.1:8090") -> Flask:
    """`url` is where callers reach this sandbox: media and attachments are offered under it."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.compact = True  # type: ignore[attr-defined]
    app.extensions["sandbox"] = World(url.rstrip("/"))
    control = (api, accounts, authenticator, phone, gestures, routing, agent, templates)
    for module in (page, meta_api, notifications_api, genesys_api, login, *control):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _http_error(error: HTTPException) -> ResponseReturnValue:
    return jsonify(error=error.description or error.name), error.code or 500
