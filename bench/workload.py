"""Precomputed webhooks: whole HTTP requests, signed, sorted by conversation.

A message is known everywhere by its run and its number: its text is `bench-<run>-<number>`, so that whoever receives it
in the end can say which one it was.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bench.lines import Line

Kind = Literal["inbound", "batched", "outbound"]
MARK = "bench-"
RUN_DIGITS = 8
NUMBER_DIGITS = 8
BATCH = 100


@dataclass(frozen=True, slots=True)
class Load:
    """`count` messages of `conversations` customers over `streams` connections.

    Stream s serves the line s % len(lines) and a share of the customers, so that a customer's messages come one after
    the other. `rate` is messages per second, 0 for as fast as they are answered. Customers' numbers begin with
    `first_customer`: another load on the same lines has others.
    """

    run: str
    kind: Kind
    lines: tuple[Line, ...]
    count: int
    conversations: int
    streams: int
    port: int
    rate: float = 0.0
    first_customer: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    raw: bytes
    numbers: range
    """Of the messages in it."""


def of_stream(load: Load, stream: int) -> Iterator[Request]:
    """The requests of one stream in the order in which they are to be sent."""
    line = load.lines[stream % len(load.lines)]
    own = range(stream, load.count, load.streams)
    customers = range(stream, max(load.conversations, load.streams), load.streams)
    step = BATCH if load.kind == "batched" else 1
    for start in range(0, len(own), step):
        part = own[start : start + step]
        pairs = [(number, _wa_id(load, customers[(start + i) % len(customers)])) for i, number in enumerate(part)]
        yield Request(_raw(load, line, pairs), part)


def _wa_id(load: Load, customer: int) -> str:
    return f"49151{load.first_customer + customer:08}"


def _raw(load: Load, line: Line, pairs: list[tuple[int, str]]) -> bytes:
    if load.kind == "outbound":
        (number, wa_id), path = pairs[0], line.genesys_path
        body = _dump(_from_agent(load.run, line, number, wa_id))
        digest = base64.b64encode(hmac.digest(line.webhook_secret.encode(), body, "sha256")).decode()
    else:
        path = line.meta_path
        body = _dump(_from_customers(load.run, line, pairs))
        digest = hmac.digest(line.app_secret.encode(), body, "sha256").hex()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\nContent-Type: application/json\r\n"
        f"X-Hub-Signature-256: sha256={digest}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _from_customers(run: str, line: Line, pairs: list[tuple[int, str]]) -> dict[str, Any]:
    """As Meta gathers them: one change for a number, its messages in the order of their coming."""
    now = str(int(time.time()))
    everybody = dict.fromkeys(wa_id for _, wa_id in pairs)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "49301234567", "phone_number_id": line.phone_number_id},
        "contacts": [{"profile": {"name": f"Customer {wa_id[-4:]}"}, "wa_id": wa_id} for wa_id in everybody],
        "messages": [
            {
                "from": wa_id,
                "id": f"wamid.{run}{number:0{NUMBER_DIGITS}}",
                "timestamp": now,
                "text": {"body": text(run, number)},
                "type": "text",
            }
            for number, wa_id in pairs
        ],
    }
    entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def _from_agent(run: str, line: Line, number: int, wa_id: str) -> dict[str, Any]:
    message_id = f"{run}{number:0{NUMBER_DIGITS}}"
    channel = {
        "id": line.integration_id,
        "platform": "Open",
        "type": "Private",
        "to": {"id": wa_id, "idType": "Opaque"},
        "from": {"nickname": "Support", "id": line.integration_id, "idType": "Opaque"},
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "messageId": message_id,
    }
    return {
        "id": message_id,
        "channel": channel,
        "type": "Text",
        "text": text(run, number),
        "direction": "Outbound",
        "originatingEntity": "Human",
        "conversationId": f"{wa_id:0>32}",
    }


def text(run: str, number: int) -> str:
    return f"{MARK}{run}-{number:0{NUMBER_DIGITS}}"


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
