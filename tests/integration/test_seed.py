"""The demo tenant's people: made through API and portal, usable at once, and left alone by a second run."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from db.access import users
from db.pool import Pool
from demo import seed
from tests import processes
from tests.waiting import PATIENCE, wait_until


def test_the_demos_people_may_log_in(
    settings_env: dict[str, str], pool: Pool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    logs: Path = tmp_path_factory.mktemp("seed")
    people = [seed.OPERATOR, *seed.TENANT_USERS]
    with processes.sandbox(settings_env, logs), processes.web(settings_env, logs):
        seeded = seed.seed(settings_env)
        base = settings_env["PUBLIC_URL"]
        assert [seed._Browser(base).log_in(one["email"], seed.PASSWORD) for one in people] == [True] * 3
        assert not seed._Browser(base).log_in(seed.OPERATOR["email"], "another password")
        assert _gets_in_with_the_code(settings_env, base)
        made = users.everyone(pool)
        assert [(one.role, one.must_change) for one in made] == [
            ("operator", False),
            ("admin", False),
            ("viewer", False),
        ]
        assert [one.tenant_id for one in made] == [None, seeded.tenant_id, seeded.tenant_id]
        # A run that ended between a user's making and the choice of the password.
        with pool.transaction() as cursor:
            cursor.execute("UPDATE users SET password_hash = 'x', must_change = true WHERE role = 'viewer'")
        assert seed.seed(settings_env).tenant_id == seeded.tenant_id
        assert [seed._Browser(base).log_in(one["email"], seed.PASSWORD) for one in people] == [True] * 3


def _gets_in_with_the_code(env: dict[str, str], base: str) -> bool:
    """The operator, with what the sandbox's authenticator shows."""
    sandbox = env["META_GRAPH_URL"].removesuffix("/graph")
    browser = seed._Browser(base)
    assert browser.log_in(seed.OPERATOR["email"], seed.PASSWORD)

    def is_in() -> bool:
        """A code that is shown at the end of its half minute may be over when it arrives."""
        [shown] = requests.get(f"{sandbox}/control/authenticator", timeout=PATIENCE).json()["codes"]
        assert shown["name"] == seed.OPERATOR["email"]
        return bool(browser._post("/login/code", "/login/code", {"code": shown["code"]}).status_code == 302)

    wait_until(is_in, PATIENCE, "a code to be taken")
    return browser._session.get(f"{base}/portal/tenants", timeout=PATIENCE).url.endswith("/portal/tenants")
