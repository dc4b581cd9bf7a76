"""Where the portal sends a browser: always to a path, whatever host the request claims to be for."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.portal.client import TOKEN

HOSTILE = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize("path", ["/portal", "/portal/", "/portal/account", "/portal//login", "//portal/login"])
def test_a_redirect_does_not_follow_the_host_header(app: Flask, path: str) -> None:
    # Given apart, since a client takes what follows two slashes for a host.
    answer = app.test_client().open("/", headers=HOSTILE, environ_overrides={"PATH_INFO": path})
    assert answer.status_code in (200, 302, 404)
    assert answer.headers.get("Location", "/portal/login").startswith("/portal/login")


def test_no_address_is_mended_by_a_redirect(app: Flask) -> None:
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.is_branch and rule.strict_slashes] == []


@pytest.mark.parametrize("headers", [{"Referer": "https://relay.example.com/portal/login"}, {}])
def test_a_form_whose_host_the_proxy_has_changed_says_so(app: Flask, headers: dict[str, str]) -> None:
    inside = "https://127.0.0.1:8000"
    client = app.test_client()
    token = TOKEN.search(client.get("/portal/login", base_url=inside).get_data(as_text=True))
    assert token
    form = {"csrf_token": next(filter(None, token.groups()))}
    answer = client.post("/portal/login", data=form, headers=headers, base_url=inside)
    assert answer.status_code == 400
    assert "the proxy hands the Host header on" in answer.get_data(as_text=True)
