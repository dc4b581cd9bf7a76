"""R49: an agent's text and document, followed from the Genesys webhook to the phone; the mirror of R48."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest

from relay.core.queues import OUTBOUND
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

CUSTOMER = "4915200000002"


@dataclass(frozen=True)
class Sent:
    """Genesys' ids of a text and a PDF, and what stood in the queues while no daemon ran."""

    ids: dict[str, str]
    queued: list[dict[str, Any]]


@pytest.fixture(scope="module")
def sent(installation: Installation, line: Line) -> Sent:
    wamid = installation.phone_sends(**{"from": CUSTOMER}, to=line.phone_number_id, text="the invoice, please")
    wait_until(lambda: installation.state(wamid) in ("sent", "delivered"), 30, "the question to arrive")
    where = {"contact": CUSTOMER, "integration_id": line.integration_id}

    def answered() -> bool:
        sent = installation.agent_sees(CUSTOMER, line, "outbound")
        return len(sent) == 2 and all(one["webhook"]["http_status"] == 200 for one in sent)

    with installation.without_daemon():
        ids = {
            "text": installation.agent_sends(**where, text="Here it is."),
            "document": installation.agent_sends(**where, sample="document"),
        }
        wait_until(answered, 20, "both webhooks to be answered 200 without any daemon")
        return Sent(ids, installation.queued(OUTBOUND))


@pytest.fixture(scope="module")
def carried(installation: Installation, sent: Sent) -> dict[str, str]:
    for source in sent.ids.values():
        installation.wait_for(source, "read")
    return sent.ids


def test_the_webhook_is_answered_and_the_messages_stand_in_the_queue(sent: Sent) -> None:
    queued = [one for one in sent.queued if sent.ids["document"] in str(one["payload"])]
    assert [(one["media_type"], one["mime_type"]) for one in queued] == [("document", "application/pdf")]


def test_the_phone_shows_both_in_order(installation: Installation, line: Line, carried: dict[str, str]) -> None:
    text, document = installation.phone_shows(CUSTOMER, line)
    assert (text["type"], text["text"]) == ("text", "Here it is.")
    assert (document["type"], document["media"]["mime_type"]) == ("document", "application/pdf")
    assert set(document["payload"]["document"]) >= {"id"}, "uploaded and sent by id, never by link"


def test_the_media_is_kept_and_what_meta_has_is_the_same(
    installation: Installation, line: Line, carried: dict[str, str]
) -> None:
    sent = installation.agent_sees(CUSTOMER, line, "outbound")[1]["attachment"]
    shown = installation.phone_shows(CUSTOMER, line)[1]["media"]
    kept = installation.objects("media-outbound", f"{line.tenant_id}/")
    assert sent["sha256"] in {hashlib.sha256(data).hexdigest() for data in kept.values()}
    assert shown["sha256"] == sent["sha256"]
    assert shown["filename"] == sent["filename"]


def test_every_message_is_tracked_and_the_agent_is_told(
    installation: Installation, line: Line, carried: dict[str, str]
) -> None:
    row = installation.row(carried["document"])
    assert (row["direction"], row["state"], row["media_type"]) == ("outbound", "read", "document")
    assert row["media_url"].startswith("media-outbound/")
    assert row["sent_at"] <= row["delivered_at"] <= row["read_at"]

    def told() -> bool:
        seen = installation.agent_sees(CUSTOMER, line, "outbound")
        return [one["status"] for one in seen] == ["Delivered", "Delivered"]

    wait_until(told, 20, "Genesys to have a Delivered for both")


def test_the_raw_webhooks_are_kept(installation: Installation, line: Line, carried: dict[str, str]) -> None:
    def kept() -> bool:
        raw = b"".join(installation.objects("webhooks-outbound", f"{line.tenant_id}/").values())
        return all(source.encode() in raw for source in carried.values())

    wait_until(kept, 20, "the archive to hold both webhooks")
