"""Where web limits what it reads and writes: in one place, which knows whose lines are whose."""

from __future__ import annotations

import re
from pathlib import Path

WEB = Path(__file__).parents[4] / "web"


def test_web_limits_a_pool_in_one_place_only() -> None:
    found = {
        str(one.relative_to(WEB))
        for one in WEB.rglob("*.py")
        if re.search(r"pool(\(\))?\.of_tenant\(", one.read_text())
    }
    assert found == {"request/context.py"}
