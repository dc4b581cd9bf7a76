"""The HTTP server. Each request can reach its connection, so that a fault can break it."""

import os
import socket
from typing import Any

from flask import Flask
from gevent.pywsgi import WSGIHandler, WSGIServer


class Handler(WSGIHandler):
    def handle(self) -> None:
        # Head and body leave in two writes: without this the second waits 40 ms for the first one's acknowledgement.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle()

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["sandbox.socket"] = self.socket
        return environ


def listen_address() -> tuple[str, int]:
    return os.environ.get("SANDBOX_HOST", "127.0.0.1"), int(os.environ.get("SANDBOX_PORT", "8090"))


def public_url(host: str, port: int) -> str:
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return os.environ.get("SANDBOX_URL") or f"http://{reachable}:{port}"


def server(app: Flask, host: str, port: int) -> WSGIServer:
    return WSGIServer((host, port), app, handler_class=Handler, log=None, backlog=1024)
