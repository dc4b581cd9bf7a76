"""No read goes through a large table from end to end: the plans that `make scale` sees, on a small copy of its data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from db.access import audit_chain
from db.contacts import conversations
from db.contacts import expiry as contacts_expiry
from db.contacts.seen import SeenPerson
from db.mailbox import expiry, notices
from db.mailbox.expiry import ReachedRow
from db.pool import Pool
from db.views import hours
from relay.core.messages import Person
from tests.scale import generate
from tests.scale.generate import line_id
from tests.scale.path import Path
from tests.scale.plans import LARGE, explained
from tests.scale.reads import LARGEST, OF_A_TENANT, OF_ALL
from tests.services.databases import Databases


@pytest.fixture(scope="module")
def filled_url(databases: Databases) -> Iterator[str]:
    url = databases.create()
    generate.fill(url, conversations=12_000, messages=30_000)
    yield url
    databases.drop(url)


@pytest.fixture(scope="module")
def filled(filled_url: str) -> Iterator[Pool]:
    with Pool(filled_url) as pool:
        yield pool


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


def test_nor_to_find_out_who_somebody_is(filled: Pool) -> None:
    """Known and unknown people, a changed number, what Genesys names, and the windows of all of them."""
    at, line = 1_790_000_000.0, (LARGEST, line_id(0))
    with filled.transaction() as cursor:
        cursor.execute("SELECT wa_id FROM conversation_mappings WHERE line_id = %s LIMIT 6", (line[1],))
        numbers = [row[0] for row in cursor.fetchall()]
    people = [Person(number, number) for number in [*numbers[:2], "499001"]]
    people.append(Person(numbers[5], "4990001", previous=(numbers[5],)))
    wrote = [SeenPerson(*line, one, at, "whatsapp", at, at + 60, f"wamid.{one.wa_id}") for one in people]
    answered = [SeenPerson(*line, Person(number), at, "genesys") for number in numbers]
    with explained() as scans, filled.transaction() as cursor:
        conversations.resolve(cursor, wrote, 16)
        found = conversations.resolve(cursor, answered[:3], 16)
        conversations.known(cursor, answered[:3])
        conversations.close_window(cursor, found[0].conversation_id, at)
    assert scans == []


def test_nor_by_the_deletion_of_old_notices(filled: Pool) -> None:
    with explained() as scans, filled.transaction() as cursor:
        notices.expire(cursor, LARGEST, datetime.now(UTC))
    assert scans == []


def test_nor_by_the_end_of_lines_of_the_audit_log(filled: Pool) -> None:
    with explained() as scans:
        audit_chain.end(filled, LARGEST, datetime(2000, 1, 1, tzinfo=UTC), 0)
    assert [scan for scan in scans if scan.startswith("audit_log")] == []


def test_nor_by_the_end_of_messages_and_contacts(filled: Pool) -> None:
    with explained() as scans, filled.transaction() as cursor:
        for ending in ("contents", "history"):
            expiry.end(cursor, line_id(0), ending, datetime.now(UTC), ReachedRow())
        contacts_expiry.end(cursor, line_id(0), datetime.now(UTC))
        cursor.connection.rollback()
    assert scans == []


def test_a_scan_would_be_seen(filled: Pool) -> None:
    with explained() as scans, filled.of_tenant(LARGEST).transaction() as cursor:
        cursor.execute("SELECT count(*) FROM message_tracking WHERE type = 'image'")
    assert [scan.partition(":")[0] for scan in scans] == ["message_tracking"]


@pytest.fixture(scope="module")
def new(databases: Databases) -> Iterator[str]:
    """A database of whose tables nothing is known, as after its first migration."""
    url = databases.create()
    with Pool(url) as pool, pool.autocommit() as cursor:
        cursor.execute(generate.FUNCTIONS + generate.OWNERS)
        for table in LARGE:
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    yield url
    databases.drop(url)


@pytest.mark.parametrize("database", ["new", "filled_url"])
def test_nothing_on_a_messages_path_scans(database: str, request: pytest.FixtureRequest) -> None:
    with Pool(request.getfixturevalue(database), steady=True) as pool, explained() as scans:
        for size in (1, 20):
            inbound = Path(pool, LARGEST, line_id(0), "inbound")
            outbound = Path(pool, LARGEST, line_id(1), "outbound")
            for path in (inbound, outbound):
                path.arrive(size)
                path.claim()
                path.settle()
            for status in ("sent", "delivered", "read"):
                outbound.told(status)
            outbound.report()
            outbound.wake()
    assert scans == []
