"""No read goes through a large table from end to end: the plans that `make scale` sees, on a small copy of its data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db import hours
from db.pool import Pool
from tests.scale import generate
from tests.scale.plans import explained
from tests.scale.reads import LARGEST, OF_A_TENANT, OF_ALL
from tests.services.databases import Databases


@pytest.fixture(scope="module")
def filled(databases: Databases) -> Iterator[Pool]:
    url = databases.create()
    generate.fill(url, conversations=12_000, messages=30_000)
    with Pool(url) as pool:
        yield pool
    databases.drop(url)


@pytest.mark.parametrize("name", OF_A_TENANT)
def test_no_large_table_is_scanned(filled: Pool, name: str) -> None:
    with explained() as scans:
        OF_A_TENANT[name](filled)
        OF_A_TENANT[name](filled.of_tenant(LARGEST))
    assert scans == []


@pytest.mark.parametrize("name", OF_ALL)
def test_no_large_table_is_scanned_for_the_operator(filled: Pool, name: str) -> None:
    with explained() as scans:
        OF_ALL[name](filled)
    assert scans == []


def test_nor_by_the_counting_of_hours(filled: Pool) -> None:
    with explained() as scans:
        assert hours.count_due(filled, most=3) == 3
    assert scans == []


def test_a_scan_would_be_seen(filled: Pool) -> None:
    with explained() as scans, filled.of_tenant(LARGEST).transaction() as cursor:
        cursor.execute("SELECT count(*) FROM message_tracking WHERE type = 'image'")
    assert [scan.partition(":")[0] for scan in scans] == ["message_tracking"]
