"""`make scale`: 100,000 conversations, 1,000,000 messages, and every read and page within 300 ms, without a scan.

Not part of `make test`: it takes minutes and is about time. Medians of 20 are printed; what is slower than the
bound, goes through a large table, or breaks, fails.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from db.pool import Pool
from tests.scale.conftest import PEOPLE
from tests.scale.plans import explained
from tests.scale.reads import LARGEST, OF_A_TENANT, OF_ALL
from tests.scale.routes import addresses, logged_in, samples

TIMES = 20
BOUND = 0.3


def test_every_read(filled: Pool) -> None:
    """As the owner, and as the role that is limited to the tenant."""
    trouble = []
    for name, read in OF_A_TENANT.items():
        limited = filled.of_tenant(LARGEST)
        trouble += measured(f"{name} (owner)", lambda read=read: read(filled))  # type: ignore[misc]
        trouble += measured(f"{name} (tenant)", lambda read=read, pool=limited: read(pool))  # type: ignore[misc]
    for name, read in OF_ALL.items():
        trouble += measured(name, lambda read=read: read(filled))  # type: ignore[misc]
    assert trouble == []


@pytest.mark.parametrize("role", ["key", "operator", "admin"])
def test_every_address(app: Flask, filled: Pool, settings_env: dict[str, str], role: str) -> None:
    """All that can be looked at: the API with the operator's key, the portal after a login."""
    ask = asking(app, settings_env, role)
    trouble = []
    for rule, address in addresses(app, samples(filled)):
        if rule.startswith("/portal") == (role == "key"):
            continue
        if address is None:
            trouble.append(f"{rule}: give tests/scale/routes.py a sample for its parts")
            continue
        trouble += measured(f"{role}: {rule}", lambda address=address: ask(address))  # type: ignore[misc]
    assert trouble == []


def asking(app: Flask, settings_env: dict[str, str], role: str) -> Callable[[str], str]:
    """Looks at an address; answers with the status, and raises where the application itself failed."""
    headers = {"X-Tenant-ID": LARGEST}
    if role == "key":
        client = app.test_client()
        headers["Authorization"] = f"Bearer {settings_env['ADMIN_API_KEY']}"
    else:
        client = logged_in(app, PEOPLE[role])

    def ask(address: str) -> str:
        answer: TestResponse = client.get(address, headers=headers)
        answer.get_data()
        assert answer.status_code < 500, f"{address}: {answer.status_code}"
        assert answer.status_code != 429, f"{address} is limited: it cannot be measured"
        return str(answer.status_code)

    return ask


def measured(name: str, read: Callable[[], Any]) -> list[str]:
    """Print the median; what is wrong with it, in words."""
    with explained() as scans:
        found = read()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    size = found if isinstance(found, str) else f"{len(found)} rows" if isinstance(found, list) else ""
    print(f"{median * 1000:8.1f} ms  {name}  {size}")
    slow = [f"{name}: {median * 1000:.0f} ms"] if median > BOUND else []
    return slow + [f"{name} scans {scan}" for scan in scans]
