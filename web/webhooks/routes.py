"""The addresses that providers call, as Flask knows them: handshakes, and what the entrance has refused."""

from __future__ import annotations

from flask import Flask, Response

from web.webhooks import genesys, meta
from web.webhooks.entrance import refused


def register(app: Flask) -> None:
    for blueprint in (meta.webhook, genesys.webhook):
        app.register_blueprint(blueprint)
        for rule in ("", "/<key>"):
            app.add_url_rule(f"{blueprint.url_prefix}{rule}", f"{blueprint.name}.refused", _refused, methods=["POST"])


def _refused(**_key: str) -> Response:
    refused()
