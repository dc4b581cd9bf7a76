"""The demo tenant's people: made through API and portal, usable at once, and left alone by a second run."""

from __future__ import annotations

from pathlib import Path

import pytest

from db import users
from db.pool import Pool
from sandbox import seed
from tests import processes


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
