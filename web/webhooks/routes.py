"""The addresses that providers call."""

from __future__ import annotations

from flask import Flask

from web.webhooks import genesys, meta


def register(app: Flask) -> None:
    app.register_blueprint(meta.webhook)
    app.register_blueprint(genesys.webhook)
