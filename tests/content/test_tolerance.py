"""Whatever a rightly signed webhook holds: it is answered 200, nothing breaks, nothing is lost without a word.

Every recorded webhook, and 5,000 with one thing wrong: a member dropped, null, of another type, unknown
members added, lists emptied, texts of 100,000 characters, odd Unicode.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import requests

from db.mailbox.raw_payloads import unpacked
from relay.core.queues import INBOUND, OUTBOUND
from tests.content.mutations import Posted, marked, mutations, samples
from tests.flow.installation import Installation, Line
from tests.waiting import PATIENCE, DeadlinePassed, wait_until

HOW_MANY = 5000
CLIENTS = 6
SECONDS = 240
RELAYED = ("sent", "delivered", "read", "failed")
"""`failed`: carried to the other side, which had its reasons (nobody there wrote within 24 hours)."""


class Tolerance:
    """The posts, how they were answered, and where each is found afterwards."""

    def __init__(self, installation: Installation, line: Line) -> None:
        self.installation = installation
        accounts = installation.control("GET", "/accounts")
        phone = next(one for one in accounts["whatsapp"] if one["phone_number_id"] == line.phone_number_id)
        desk = next(one for one in accounts["genesys"] if one["integration_id"] == line.integration_id)
        self._urls = {"whatsapp": phone["callback_url"], "genesys": desk["webhook_url"]}
        self._secrets = {"whatsapp": phone["app_secret"], "genesys": desk["webhook_secret"]}
        plain = samples(line, f"http://127.0.0.1:{installation.env['SANDBOX_PORT']}")
        self.plain = [marked(one, HOW_MANY + number) for number, one in enumerate(plain)]
        self.changed = list(mutations(plain, HOW_MANY))
        with ThreadPoolExecutor(CLIENTS) as pool:
            self.answers = list(pool.map(self._post, [*self.plain, *self.changed]))
        wait_until(self._quiet, SECONDS, "all of it to be dealt with")
        self.states, self.kept, self.kept_unmarked = self._found()
        self.parked = {row["id"] for row in installation.rows("SELECT provider_id AS id FROM parked_receipts")}

    def _post(self, posted: Posted) -> tuple[Posted, int]:
        """Again while it is answered 503, as both providers do: who sends hundreds of megabytes while others send waits
        for its share (`web.webhooks.budget`). What its content keeps from being taken is answered 503 each time."""
        raw = json.dumps(posted.body).encode()
        digest = hmac.digest(self._secrets[posted.channel].encode(), raw, hashlib.sha256)
        proof = digest.hex() if posted.channel == "whatsapp" else base64.b64encode(digest).decode()
        headers = {"X-Hub-Signature-256": f"sha256={proof}", "Content-Type": "application/json"}
        answers: list[int] = []

        def is_decided() -> bool:
            answer = requests.post(self._urls[posted.channel], raw, headers=headers, timeout=PATIENCE)
            answers.append(answer.status_code)
            return answer.status_code != 503

        with suppress(DeadlinePassed):  # then the last answer tells
            wait_until(is_decided, PATIENCE, "an answer but 503")
        return posted, answers[-1]

    def _quiet(self) -> bool:
        (found,) = self.installation.rows(
            """SELECT count(*) FILTER (WHERE state IN ('received', 'sending', 'unknown')) AS work, count(*) AS all
               FROM message_tracking"""
        )
        return bool(found["all"]) and not found["work"] and not any(map(self.installation.queued, (INBOUND, OUTBOUND)))

    def _found(self) -> tuple[dict[str, str], set[str], int]:
        """The state of each message by its mark; the marks of all else that is kept, and how much has none."""
        rows = self.installation.rows("SELECT source_id, state, raw_payload FROM message_tracking")
        kept = self.installation.rows(
            """SELECT payload::text AS text FROM line_notices UNION ALL SELECT payload::text FROM unknown_lines
               UNION ALL SELECT provider_id FROM parked_receipts"""
        )
        states = {mark: row["state"] for row in rows for mark in _marks(json.dumps(unpacked(row["raw_payload"])))}
        marks = [_marks(one["text"]) for one in kept]
        return states, set().union(*marks), sum(not found for found in marks)


def _once(changed: list[Posted]) -> list[Posted]:
    """Without those whose id was changed to one that another has too: they are the same message."""
    found: dict[str, Posted] = {}
    for one in changed:
        own = one.at(one.changed) if one.changed and one.changed[-1] in ("id", "messageId") else None
        found.setdefault(one.mark if own is None else json.dumps(own), one)
    return list(found.values())


def _marks(text: str) -> set[str]:
    return set(re.findall(r"M[0-9]{7}", text))


@pytest.fixture(scope="module")
def tolerance(installation: Installation, line: Line) -> Tolerance:
    installation.control("POST", "/limits", {"meta": {"number_per_second": None}, "genesys": {"per_minute": None}})
    return Tolerance(installation, line)


def test_no_answer_but_200(installation: Installation, tolerance: Tolerance) -> None:
    others = [(one.sample, one.changed, code) for one, code in tolerance.answers if code != 200]
    log = [line for line in installation.web.output().splitlines() if "error=" in line or "status=503" in line]
    assert not others, f"{others[:10]}; the log says: {log[:10]}"
    assert len(tolerance.answers) == len(tolerance.plain) + HOW_MANY


def test_nothing_breaks(installation: Installation, tolerance: Tolerance) -> None:
    for process in (installation.web, installation.daemon):
        process.check()
        log = process.output()
        assert "Traceback" not in log, log[log.index("Traceback") - 2000 :][:6000]
    metrics = requests.get(f"http://127.0.0.1:{installation.env['METRICS_PORT']}/metrics", timeout=PATIENCE).text
    counted = [line for line in metrics.splitlines() if line.startswith(("relay_actor_failures", "relay_dead_letters"))]
    assert all(line.endswith((" 0.0", " 0")) for line in counted if "_created" not in line), counted


def test_every_recognisable_message_is_relayed(tolerance: Tolerance) -> None:
    usual = {one.sample: tolerance.states.get(one.mark) for one in tolerance.plain}
    lost = [
        (one.sample, one.changed, tolerance.states.get(one.mark))
        for one in tolerance.changed
        if one.recognisable and usual[one.sample] in RELAYED and tolerance.states.get(one.mark) not in RELAYED
    ]
    assert not lost, f"{len(lost)} of {HOW_MANY}: {lost[:10]}"


def test_everything_else_is_kept_and_listed_with_its_reason(tolerance: Tolerance) -> None:
    """By its mark; what lost all its marks is counted. Typing is over when it is shown, and kept nowhere."""
    posts = [one for one in [*tolerance.plain, *_once(tolerance.changed)] if one.sample != "typing"]
    lost = [
        (one.sample, one.changed)
        for one in posts
        if one.still_marked
        and one.mark not in tolerance.states
        and one.mark not in tolerance.kept
        and not (one.changed and str(one.at(one.changed)) in tolerance.parked)  # a receipt is kept by its id alone
    ]
    assert not lost, f"{len(lost)} of {HOW_MANY}: {lost[:10]}"
    assert tolerance.kept_unmarked >= sum(not one.still_marked for one in posts)


def test_what_was_not_relayed_says_why(installation: Installation, tolerance: Tolerance) -> None:
    silent: list[dict[str, Any]] = installation.rows(
        """SELECT source_id, state, type FROM message_tracking
           WHERE state IN ('ignored', 'failed', 'dead') AND coalesce(reason, '') = ''"""
    )
    assert not silent, silent[:10]
