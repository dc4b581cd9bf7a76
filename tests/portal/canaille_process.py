"""Canaille, an OpenID provider of other people, in a process of its own: `python -m tests.portal.canaille_process`.

Its environment holds one JSON object in PROVIDER: {"port", "client": {"id", "secret", "redirect_uris"}, "people":
[{"name", "email", "groups"}]}. Everybody's password is PASSWORD.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http on this machine

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

PASSWORD = "correct horse battery staple"


def main() -> None:
    wanted = json.loads(os.environ["PROVIDER"])
    port = wanted["port"]
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    app = create_app(
        config={
            "SECRET_KEY": "of-this-test-only",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {
                "DATABASE": "memory",
                "JAVASCRIPT": False,
                "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc", "edit_self"]}},
            },
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [key.as_dict(private=True)],
                "USERINFO_MAPPING": {"SUB": "{{ user.id }}"},
            },
        },
        env_file=None,
    )
    # It knows of the claim, and has no setting for it.
    app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = "true"
    with app.app_context():
        _fill(wanted)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


def _fill(wanted: dict[str, Any]) -> None:
    backend = Backend.instance
    groups: dict[str, list[Any]] = {}
    for one in wanted["people"]:
        given, _, family = one["name"].partition(" ")
        user = models.User(
            user_name=one["email"].split("@")[0],
            formatted_name=one["name"],
            given_name=given,
            family_name=family,
            emails=[one["email"]],
            password=PASSWORD,
        )
        backend.save(user)
        for name in one["groups"]:
            groups.setdefault(name, []).append(user)
    for name, members in groups.items():
        backend.save(models.Group(display_name=name, members=members))
    said = wanted["client"]
    client = models.Client(
        client_id=said["id"],
        client_secret=said["secret"],
        client_id_issued_at=datetime.now(UTC),
        client_name="The relay",
        client_uri=said["redirect_uris"][0],
        redirect_uris=said["redirect_uris"],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    backend.save(client)
    client.audience = [client]
    backend.save(client)


if __name__ == "__main__":
    main()
