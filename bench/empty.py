"""An empty view in the product's own server: what a webhook costs before anybody does anything."""

from __future__ import annotations

from types import SimpleNamespace

from flask import Flask

app = Flask(__name__)
# All that the server asks of its application.
app.extensions["relay"] = SimpleNamespace(trusted_proxies=0)


@app.post("/webhook/<path:_rest>")
def receive(_rest: str) -> str:
    return ""
