"""R48: a customer's text and image, followed from the webhook to Genesys through every store on the way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from relay.core.queues import INBOUND
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

CUSTOMER = "4915200000001"


@dataclass(frozen=True)
class Sent:
    """The wamids of a text and an image, and what stood in the line's queue while no daemon ran."""

    wamids: dict[str, str]
    queued: list[dict[str, Any]]


@pytest.fixture(scope="module")
def sent(installation: Installation, line: Line) -> Sent:
    where = {"from": CUSTOMER, "to": line.phone_number_id, "name": "Ada Brandt"}

    def answered() -> bool:
        sent = installation.phone_shows(CUSTOMER, line, "inbound")
        return len(sent) == 2 and all(one["webhook"]["http_status"] == 200 for one in sent)

    with installation.without_daemon():
        wamids = {
            "text": installation.phone_sends(**where, text="Is this the right one?"),
            "image": installation.phone_sends(**where, type="image", sample=True, text="my order"),
        }
        wait_until(answered, 20, "both webhooks to be answered 200 without any daemon")
        return Sent(wamids, [one for one in installation.queued(INBOUND) if one["line_id"] == line.id])


@pytest.fixture(scope="module")
def carried(installation: Installation, sent: Sent) -> dict[str, str]:
    for wamid in sent.wamids.values():
        installation.wait_for(wamid, "sent", "delivered")
    return sent.wamids


def test_the_webhook_is_answered_and_the_messages_stand_in_the_queue(line: Line, sent: Sent) -> None:
    queued = {one["payload"]["message"]["id"]: one for one in sent.queued}
    assert set(queued) == set(sent.wamids.values())
    image = queued[sent.wamids["image"]]
    assert (image["media_type"], image["mime_type"]) == ("image", "image/jpeg")
    assert (image["headers"]["mediaType"], image["headers"]["mimeType"]) == ("image", "image/jpeg")


def test_genesys_has_both_in_order(installation: Installation, line: Line, carried: dict[str, str]) -> None:
    text, image = installation.agent_sees(CUSTOMER, line)
    assert (text["text"], text["channel_message_id"]) == ("Is this the right one?", carried["text"])
    assert image["attachment"]["media_type"] == "Image"
    assert image["channel_message_id"] == carried["image"]


def test_the_media_is_kept_and_can_be_fetched_by_genesys(
    installation: Installation, line: Line, carried: dict[str, str]
) -> None:
    sent = next(one for one in installation.phone_shows(CUSTOMER, line, "inbound") if one["type"] == "image")
    kept = installation.objects("media-inbound", f"{line.tenant_id}/")
    assert sent["media"]["sha256"] in {hashlib.sha256(data).hexdigest() for data in kept.values()}
    attachment = installation.agent_sees(CUSTOMER, line)[1]["attachment"]
    fetched = requests.get(attachment["url"], timeout=30)
    assert hashlib.sha256(fetched.content).hexdigest() == sent["media"]["sha256"]
    assert "X-Amz-Expires=3600" in attachment["url"], "the link is good for one hour"


def test_the_mapping_is_made_and_both_directions_are_answered(
    installation: Installation, line: Line, carried: dict[str, str]
) -> None:
    headers = f"?phone_number_id={line.phone_number_id}"
    there = installation.api("GET", f"/state/mapping/{CUSTOMER}{headers}", tenant=line.tenant_id)
    assert (there["wa_id"], there["tenant_id"]) == (CUSTOMER, line.tenant_id)
    assert there["genesys_conversation_id"] == _genesys_conversation(installation, line)
    back = installation.api("GET", f"/state/conversation/{there['conversation_id']}", tenant=line.tenant_id)
    assert (back["wa_id"], back["tenant_id"]) == (CUSTOMER, line.tenant_id)


def test_every_message_is_tracked_with_its_history(installation: Installation, carried: dict[str, str]) -> None:
    text, image = installation.row(carried["text"]), installation.row(carried["image"])
    assert (text["direction"], text["type"], image["media_type"]) == ("inbound", "text", "image")
    assert image["media_url"].startswith("media-inbound/")
    attempts = installation.rows("SELECT * FROM message_attempts WHERE message_id = %s", text["id"])
    assert [(one["n"], one["outcome"], one["provider_id"]) for one in attempts] == [(1, "sent", text["provider_id"])]


def test_the_raw_webhooks_are_kept(installation: Installation, line: Line, carried: dict[str, str]) -> None:
    def kept() -> bool:
        raw = b"".join(installation.objects("webhooks-inbound", f"{line.tenant_id}/").values())
        return all(wamid.encode() in raw.replace(rb"\/", b"/") for wamid in carried.values())

    wait_until(kept, 20, "the archive to hold both webhooks")


def _genesys_conversation(installation: Installation, line: Line) -> str:
    path = f"/agent/{CUSTOMER}/messages?integration_id={line.integration_id}"
    return str(installation.control("GET", path)["conversation_id"])
