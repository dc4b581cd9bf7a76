"""The peer's web, in gunicorn's gevent worker: signature, a task for each message, 200."""

from __future__ import annotations

import hashlib
import hmac
import os

from flask import Flask, Response, abort, request

from bench.peer.tasks import relay_message

SECRET = os.environ["PEER_SECRET"].encode()

app = Flask(__name__)


@app.post("/webhook/meta")
def receive() -> Response:
    expected = "sha256=" + hmac.new(SECRET, request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
        abort(401)
    for entry in request.get_json()["entry"]:
        for change in entry["changes"]:
            for message in change["value"].get("messages", []):
                relay_message.delay(message)
    return Response("ok")
