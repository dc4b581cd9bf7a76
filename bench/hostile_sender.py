"""Sends one hostile request again and again until its own input ends: a program that shares nothing with who measures.

Arguments: port, path, a file with the body, headers as JSON. 503 is an answer like any other: too much at once.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from pathlib import Path

MOST = 20_000


def main(port: str, path: str, body: str, headers: str) -> int:
    over, raw = threading.Event(), Path(body).read_bytes()
    threading.Thread(target=_wait_for_the_end, args=(over,), daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    for sent in range(MOST):
        if over.is_set():
            print(sent)
            return 0
        try:
            connection.request("POST", path, raw, json.loads(headers))
            connection.getresponse().read()
        except (ConnectionError, http.client.HTTPException):
            connection.close()
    return 1


def _wait_for_the_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
