"""The limit's web, in gunicorn's gevent worker: signature, publish with confirms, 200. No framework either."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from bench.limit.confirms import Publisher

SECRET = os.environ["LIMIT_SECRET"].encode()
HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "2")]

publisher = Publisher(os.environ["BROKER_URL"])


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    signature = "sha256=" + hmac.digest(SECRET, raw, "sha256").hex()
    if not hmac.compare_digest(signature, environ.get("HTTP_X_HUB_SIGNATURE_256", "")):
        start_response("401 Unauthorized", HEADERS)
        return [b"no"]
    publisher.publish(
        [
            orjson.dumps(message)
            for entry in orjson.loads(raw)["entry"]
            for change in entry["changes"]
            for message in change["value"]["messages"]
        ]
    )
    start_response("200 OK", HEADERS)
    return [b"ok"]
