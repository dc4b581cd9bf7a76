"""The no-work providers answer what the product's own clients take for a success, and note what came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.traffic import Provider
from demo.stack.ports import free_port
from relay.channels import genesys, whatsapp
from relay.channels.base import Request
from relay.channels.http.client import HttpTransport
from tests.unit.relay.channels.accounts import GENESYS, PHONE, WHATSAPP, Tokens
from tests.waiting import PATIENCE

RUN = "0badcafe"
TO_GENESYS = Request(
    "POST",
    f"/api/v2/conversations/messages/{GENESYS.line_ref}/inbound/open/message",
    {"channel": {"from": {"id": PHONE}}, "text": f"bench-{RUN}-00000007"},
)
TO_WHATSAPP = Request(
    "POST",
    f"/{WHATSAPP.line_ref}/messages",
    {"to": PHONE, "type": "text", "text": {"body": f"bench-{RUN}-00000008"}},
)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with Provider([free_port()], tmp_path).running() as running:
        yield running


@pytest.fixture
def transport(provider: Provider) -> HttpTransport:
    base = f"http://127.0.0.1:{provider.port}"
    return HttpTransport(
        Tokens(),
        f"{base}/graph",
        genesys_login_url=f"{base}/genesys/login",
        genesys_api_url=f"{base}/genesys/api",
        request_seconds=PATIENCE,
    )


def test_a_message_to_genesys_is_taken_and_noted(provider: Provider, transport: HttpTransport) -> None:
    sent = genesys.create(transport).send(TO_GENESYS, GENESYS, time.monotonic() + PATIENCE)
    assert sent.status == 200
    assert sent.provider_id
    assert sent.genesys_conversation_id
    assert list(provider.arrivals(RUN)[0]) == [7]


def test_a_message_to_whatsapp_is_taken_and_noted(provider: Provider, transport: HttpTransport) -> None:
    sent = whatsapp.create(transport).send(TO_WHATSAPP, WHATSAPP, time.monotonic() + PATIENCE)
    assert sent.status == 200
    assert sent.provider_id
    assert sent.aliases == (PHONE,)
    assert list(provider.arrivals(RUN)[0]) == [8]


def test_each_message_has_an_id_of_its_own(transport: HttpTransport) -> None:
    channel = genesys.create(transport)
    ids = {channel.send(TO_GENESYS, GENESYS, time.monotonic() + PATIENCE).provider_id for _ in range(3)}
    assert len(ids) == 3
