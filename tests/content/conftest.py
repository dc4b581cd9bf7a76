"""How many rows of docs/message-types.md went through."""

from __future__ import annotations

import re
from collections import Counter

import pytest

ROW = re.compile(r".*/test_message_types\.py::test_(inbound|outbound|sent)\[.*")

KINDS = {"inbound": "inbound", "outbound": "outbound", "sent": "of programs"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many rows of docs/message-types.md went through, whatever else was run."""
    reports = [one for how in ("passed", "failed", "error") for one in terminalreporter.stats.get(how, [])]
    ran = {one.nodeid: one.passed for one in reports if ROW.match(one.nodeid) and (one.when == "call" or one.failed)}
    rows = Counter(ROW.sub(r"\1", nodeid) for nodeid in ran)
    if ran:
        each = ", ".join(f"{rows[one]} rows {told}" for one, told in KINDS.items())
        told = f"{each}, {sum(ran.values())} passed end to end"
        terminalreporter.write_line(f"message types: {told}")
