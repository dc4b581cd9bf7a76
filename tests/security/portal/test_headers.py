"""No answer leaves without what keeps a browser from doing strangers' work with it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.portal.client import running_app

HOST = "https://relay.corp.example"
YEAR = 31_536_000
ELSE = ("/nowhere", "/portal/nowhere", "/api/nowhere", "/webhook/meta/nobodys")


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str]) -> Iterator[Flask]:
    """As it is behind a proxy with TLS."""
    with running_app(settings_env | {"PUBLIC_URL": HOST}) as made:
        yield made


@pytest.fixture(scope="module")
def answers(app: Flask) -> dict[str, TestResponse]:
    """What a stranger gets at every address that needs no argument, and at some that are not there."""
    client = app.test_client()
    plain = {rule.rule for rule in app.url_map.iter_rules() if not rule.arguments}
    found = {path: client.get(path, base_url=HOST) for path in sorted(plain | set(ELSE))}
    assert len(found) > 40
    return found


def test_no_answer_may_be_asked_for_by_http_next_time(answers: dict[str, TestResponse]) -> None:
    for path, answer in answers.items():
        told = answer.headers.get("Strict-Transport-Security", "")
        seconds = re.search(r"max-age=(\d+)", told)
        assert seconds and int(seconds[1]) >= YEAR, path
        assert "includeSubDomains" in told, path


def test_no_answer_is_taken_for_something_else_or_framed(answers: dict[str, TestResponse]) -> None:
    for path, answer in answers.items():
        policy = {part.strip() for part in answer.headers.get("Content-Security-Policy", "").split(";")}
        assert policy >= {"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"}, path
        assert "script-src 'unsafe-inline'" not in answer.headers["Content-Security-Policy"], path
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", path


def test_no_answer_leaves_its_letters_to_be_guessed(answers: dict[str, TestResponse]) -> None:
    for path, answer in answers.items():
        if answer.data:
            assert answer.mimetype, path
            if answer.mimetype.startswith("text/"):
                assert answer.mimetype_params.get("charset", "").lower() == "utf-8", path


def test_no_request_is_sent_back_as_it_came(app: Flask, answers: dict[str, TestResponse]) -> None:
    client = app.test_client()
    for path in answers:
        assert client.open(path, method="TRACE", base_url=HOST).status_code in (401, 404, 405), path


def test_no_address_is_told_to_other_sites(answers: dict[str, TestResponse]) -> None:
    for path, answer in answers.items():
        assert answer.headers.get("Referrer-Policy") in ("no-referrer", "same-origin"), path


def test_no_page_of_the_portal_is_kept_by_a_cache(answers: dict[str, TestResponse]) -> None:
    pages = {path: answer for path, answer in answers.items() if path.startswith(("/portal", "/api"))}
    assert pages
    for path, answer in pages.items():
        assert answer.headers.get("Cache-Control") == "no-store", path


def test_no_cookie_is_readable_by_scripts_or_sent_without_tls(answers: dict[str, TestResponse]) -> None:
    cookies = [cookie for answer in answers.values() for cookie in answer.headers.getlist("Set-Cookie")]
    assert cookies
    for cookie in cookies:
        name, *flags = (part.strip() for part in cookie.split(";"))
        assert name.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(flags), flags
        assert not any(flag.startswith("Domain") for flag in flags)
