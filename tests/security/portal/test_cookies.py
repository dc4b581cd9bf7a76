"""The session's cookie is given where a session begins or changes, and nowhere else."""

from __future__ import annotations

from tests.portal.client import Person

AFTERWARDS = ("/static/portal/icon.svg", "/portal/", "/portal/account")


def test_an_answer_still_under_way_brings_no_former_session_back(admin: Person) -> None:
    """Log out, or get a new token, while the browser still waits for a picture: its answer must hold no cookie."""
    admin.get("/portal/account")
    for path in AFTERWARDS:
        answer = admin.answer(path)
        assert answer.status_code in (200, 302), path
        assert answer.headers.getlist("Set-Cookie") == [], path
