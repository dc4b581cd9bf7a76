"""An OpenID provider that says whatever a test wants it to say, over real HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from flask import Flask
from gevent.pywsgi import WSGIServer
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

Token = Callable[["Issuer", dict[str, Any]], str]


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def signed(issuer: Issuer, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": issuer.key.kid}, claims, issuer.key)


class Issuer:
    """`claims` are put into the next token, `token` makes it of them; both may be exchanged, and so may `metadata`."""

    def __init__(self) -> None:
        self._server = WSGIServer(("127.0.0.1", 0), Request.application(self._answer), log=None, error_log=None)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.key = new_key("one")
        self.client_id, self.client_secret = "relay", "a-secret-of-the-client"
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.reset()

    def reset(self) -> None:
        self.claims: dict[str, Any] = {}
        self.token: Token = signed
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.asked.clear()
        self.forms.clear()

    def close(self) -> None:
        self._server.stop()

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
        } | self.metadata

    def person(self, email: str, subject: str = "", groups: tuple[str, ...] = ("admins",), **more: Any) -> None:
        """Who logs in next."""
        self.claims = {"sub": subject or email, "email": email, "email_verified": True, "groups": list(groups)} | more

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path)
        if request.path == "/token":
            self.forms.append(dict(parse_qsl(request.get_data(as_text=True))))
            return self._token(request)
        found = {
            "/.well-known/openid-configuration": self.described,
            "/keys": lambda: {"keys": [self.key.as_dict(private=False)]},
            "/userinfo": lambda: self.userinfo,
        }.get(request.path)
        return Response(status=404) if found is None else _json(found())

    def _token(self, request: Request) -> Response:
        """A code of `for:<nonce>:<challenge>` is good for whoever shows the challenge's verifier and the secret."""
        form = self.forms[-1]
        _, nonce, challenge = form.get("code", "::").split(":")
        secret = request.authorization.password if request.authorization else form.get("client_secret")
        if _challenge(form.get("code_verifier", "")) != challenge or secret != self.client_secret:
            return _json({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client_id, "iat": now, "exp": now + 300, "nonce": nonce} | self.claims
        return _json({"access_token": "at", "token_type": "Bearer", "id_token": self.token(self, claims)})


class Browser:
    """Somebody's cookies, without scripts."""

    def __init__(self, app: Flask) -> None:
        self.client: Client = app.test_client()

    def begin(self, login_key: str, query: str = "") -> dict[str, str]:
        """What the authorization endpoint is asked."""
        answer = self.client.get(f"/portal/login/{login_key}{query}")
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def back(self, login_key: str, asked: dict[str, str], **changed: str) -> TestResponse:
        """As the provider sends the browser back."""
        query = {"state": asked["state"], "code": code_for(asked)} | changed
        return self.client.get(f"/portal/login/{login_key}/callback", query_string=query)

    def log_in(self, login_key: str) -> TestResponse:
        return self.back(login_key, self.begin(login_key))

    def logged_in(self) -> bool:
        return self.client.get("/portal/account").status_code == 200


def code_for(asked: dict[str, str]) -> str:
    return f"for:{asked['nonce']}:{asked['code_challenge']}"


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()
    try:
        yield issuer
    finally:
        issuer.close()


def part(value: object) -> str:
    """A piece of a token made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def query_of(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")
