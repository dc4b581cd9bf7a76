"""An installation is lost and restored from its backup into empty servers: it goes on where it was (docs/backup.md)."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from db.daemons import home
from db.pool import Pool
from demo.stack.postgres_home import installed
from tests.faults.test_catch_up import SHORT, given_up
from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.integration.test_operator import relay
from tests.services.databases import Databases
from tests.services.rabbitmq import RabbitMQ
from tests.waiting import wait_until

AWAY = {"error_rate": 1.0, "error_codes": [503]}
SLOW = 120
LATER = "written while nobody was there"
AT_WORK = """SELECT 1 FROM daemons WHERE lease_until > now()
             UNION ALL SELECT 1 FROM webs WHERE seen_at > now() - interval '15 seconds'"""


def postgres(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [installed() / "bin" / program, *arguments], capture_output=True, text=True, check=False, timeout=SLOW
    )
    assert done.returncode == 0, done.stderr


def say(installation: Installation, *command: str) -> str:
    done = relay(installation.env, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def use(installation: Installation, **settings: str) -> None:
    """From its next start on, web and daemon have these."""
    installation.env |= settings
    for process in (installation.web, installation.daemon):
        process._env |= settings


def has_moved(url: str) -> bool:
    with Pool(url, size=1) as pool, pool.transaction() as cursor:
        return home.has_moved(cursor)


def standing(installation: Installation, source_id: str) -> tuple[Any, ...]:
    row = installation.row(source_id)
    return row["state"], row["reason_code"], row["origin"]


def test_it_goes_on_where_it_was(
    installation: Installation, line: Line, databases: Databases, rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    url = installation.env["DATABASE_URL"]
    with Pool(url, size=1) as pool, pool.transaction() as cursor:
        home.settle(cursor)  # as `relay migrate` did where no test made a copy
    chat = Chat(installation, line, "4917800000001").opened()
    dump = f"{tmp_path}/relay.dump"
    with installation.faults("meta", **AWAY):
        with installation.faults("genesys", **AWAY):
            asked, waits = chat.writes("waits for Genesys"), chat.answers("waits for WhatsApp")
            for message in (asked, waits):
                chat.state_in_time(message, "received")
            postgres("pg_dump", "--format=custom", "--enable-row-security", f"--file={dump}", url)
        chat.agent_reads_in_time("waits for Genesys", seconds=SLOW)
    # The installation lives on for a while after its backup.
    chat.phone_reads_in_time("waits for WhatsApp", seconds=SLOW)
    told = chat.answers("delivered, and Genesys was told")
    wait_until(lambda: chat.told(told) == ["Delivered"], SLOW, "the delivery report")
    with installation.faults("genesys", **AWAY):
        untold = chat.answers("delivered, and nobody was told")
        chat.phone_reads_in_time("delivered, and nobody was told", seconds=SLOW)
        installation.web.stop()
        installation.daemon.stop()
    lost_at = datetime.fromtimestamp(int(time.time()) + 1, UTC)
    wait_until(lambda: datetime.now(UTC) > lost_at, message="a second to pass")
    seen = Counter(chat.phone_reads())
    with installation.faults("genesys", **SHORT):
        lost = chat.answers(LATER)
        wait_until(lambda: given_up(chat), SLOW, "Genesys to give up")

    # Database, broker and Redis are gone; the backup is put into empty ones.
    empty = databases.create_empty()
    postgres("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={empty}", dump)
    with redis.Redis.from_url(installation.env["REDIS_URL"]) as client:
        client.flushdb()
    use(installation, DATABASE_URL=empty, BROKER_URL=rabbitmq.create_virtual_host(f"restored-{os.getpid()}"))
    assert has_moved(empty)
    wait_until(lambda: not installation.rows(AT_WORK), SLOW, "who was at work in the backup to count as gone")
    answer = say(installation, "restored", f"{lost_at:%Y-%m-%dT%H:%M:%S}")
    assert answer.startswith("1 messages to WhatsApp waited"), answer
    assert not has_moved(empty)
    with installation.web, installation.daemon:
        chat.phone_reads_in_time(LATER, seconds=SLOW)
        wait_until(lambda: installation.row(untold), SLOW, "what was written before the loss to be found")
        chat.writes("and on")
        chat.agent_reads_in_time("waits for Genesys", "and on", seconds=SLOW)
        assert chat.agent_reads() == ["hello", "waits for Genesys", "and on"], "it was seen there, and not sent again"
        assert Counter(chat.phone_reads()) == seen + Counter([LATER])
        assert standing(installation, waits) == ("dead", "restored", "webhook")
        assert standing(installation, untold) == ("dead", "restored", "catch_up")
        assert standing(installation, told) == ("ignored", None, "catch_up")
        assert installation.row(lost)["origin"] == "catch_up"
        # Whoever knows that they were not sent sends them again: both, once.
        say(installation, "dead-letters", "replay", "--tenant", line.tenant_id, "--all", "--reason", "restored")
        once_more = seen + Counter(["waits for WhatsApp", "delivered, and nobody was told", LATER])
        wait_until(lambda: Counter(chat.phone_reads()) == once_more, SLOW, "both to be sent again")
