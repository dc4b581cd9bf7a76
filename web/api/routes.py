"""The HTTP API. `new_app` makes the Flask application that can carry it, `register` puts it there.

The views find what they use in `current_app.extensions["relay"]` (web.request.web_context.WebContext).
"""

from __future__ import annotations

from flask_openapi3 import Info

from relay.core.releases import VERSION
from web.api.access import audit_log, keys, openid, users
from web.api.blueprint import Api
from web.api.data import departures, erasures, retention
from web.api.description import docs
from web.api.graph import media
from web.api.graph import messages as graph
from web.api.graph.blueprint import GraphVersion
from web.api.messages import (
    conversations,
    dead_letters,
    ends,
    exports,
    notices,
    prices,
    records,
    replays,
    sending,
    state,
    threads,
    tracking,
)
from web.api.tenants import (
    catching_up,
    conditions,
    endpoints,
    former_secrets,
    numbers,
    onboarding,
    ownership,
    rate_cards,
    setup,
    templates,
    tokens,
    webhook_fields,
)
from web.api.tenants.schemas import ErrorBody
from web.request import errors

OF_TENANTS = (
    setup.api,
    onboarding.api,
    catching_up.api,
    conditions.api,
    templates.api,
    webhook_fields.api,
    former_secrets.api,
    endpoints.api,
    retention.api,
    departures.api,
    erasures.api,
    users.api,
    keys.api,
    openid.api,
)
BLUEPRINTS = (
    *OF_TENANTS,
    users.operators,
    keys.operator_keys,
    ownership.api,
    audit_log.api,
    tokens.api,
    state.api,
    records.api,
    sending.api,
    conversations.api,
    exports.api,
    threads.api,
    ends.api,
    tracking.api,
    dead_letters.api,
    replays.api,
    notices.api,
    prices.api,
    prices.operators,
    rate_cards.api,
    numbers.api,
    graph.api,
    media.api,
)


def new_app(import_name: str) -> Api:
    """An application whose every error has the one shape; no pages that would need the internet."""
    return Api(
        import_name,
        info=Info(title="WhatsApp Genesys relay", version=VERSION, description=docs.DESCRIPTION),
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_status=400,
        validation_error_model=ErrorBody,
        validation_error_callback=errors.unusable,
    )


def register(app: Api) -> None:
    """All endpoints of the API, the description of them at /openapi.json, and the error handlers."""
    errors.install(app)
    app.url_map.converters["graph_version"] = GraphVersion
    for blueprint in BLUEPRINTS:
        app.register_api(blueprint)
    # The same views under the shorter path; the description names the longer one only.
    for blueprint in OF_TENANTS:
        app.register_blueprint(blueprint, url_prefix="/tenants", name=f"short_{blueprint.name}")
    docs.register(app)
