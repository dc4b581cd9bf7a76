"""The HTTP API. `new_app` makes the Flask application that can carry it, `register` puts it there.

The views find what they use in `current_app.extensions["relay"]` (web.parts.WebParts).
"""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi3 import Info, OpenAPI

from web.api import errors, messages, numbers, onboarding, setup, state
from web.api.schemas import ErrorBody

DESCRIPTION = "Tenants, credentials, lines, conversations and messages of the WhatsApp to Genesys relay."


def new_app(import_name: str, version: str = "1") -> OpenAPI:
    """An application whose every error has the one shape; no pages that would need the internet."""
    return OpenAPI(
        import_name,
        info=Info(title="WhatsApp Genesys relay", version=version, description=DESCRIPTION),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=ErrorBody,
        validation_error_callback=errors.unusable,
    )


def register(app: OpenAPI) -> None:
    """All endpoints of the API, the description of them at /openapi.json, and the error handlers."""
    errors.install(app)
    for blueprint in (setup.api, onboarding.api, state.api, messages.api, numbers.api):
        app.register_api(blueprint)
    # The same views under the shorter path; the description names the longer one only.
    for blueprint in (setup.api, onboarding.api):
        app.register_blueprint(blueprint, url_prefix="/tenants", name=f"short_{blueprint.name}")
    app.add_url_rule("/openapi.json", "openapi_json", _description)


def _description() -> Response:
    from flask import current_app

    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]
