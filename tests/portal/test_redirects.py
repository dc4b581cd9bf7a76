"""Where the portal sends a browser: always to a path, whatever host the request claims to be for."""

from __future__ import annotations

import pytest
from flask import Flask

HOSTILE = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("path", ["/portal", "/portal/", "/portal/account", "/portal//login", "//portal/login"])
def test_a_redirect_does_not_follow_the_host_header(app: Flask, path: str) -> None:
    # Given apart, since a client takes what follows two slashes for a host.
    answer = app.test_client().open("/", headers=HOSTILE, environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (200, 302, 404)
    assert answer.headers.get("Location", "/portal/login").startswith("/portal/login")


def test_no_address_is_mended_by_a_redirect(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.is_branch and rule.strict_slashes] == []
