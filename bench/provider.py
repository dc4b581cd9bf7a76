"""Both providers without any work: a program that answers every call at once, or after a delay it is told.

`python -m bench.provider <port>...`. What it received stands under /bench: GET /bench/counts, /bench/arrivals/<run>,
POST /bench/delays {"<integration or phone number id, or *>": seconds}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from typing import Any

from bench.workload import MARK, NUMBER_DIGITS, RUN_DIGITS

NEEDLE = MARK.encode()
BEGIN = len(NEEDLE)
END_OF_RUN = BEGIN + RUN_DIGITS
END = END_OF_RUN + 1 + NUMBER_DIGITS


class Received:
    """Of one run: numbers and times (monotonic seconds) in the order of their coming."""

    def __init__(self) -> None:
        self.numbers = array("q")
        self.times = array("d")


class World:
    def __init__(self) -> None:
        self.runs: dict[bytes, Received] = {}
        self.delays: dict[str, float] = {}
        self.others = 0
        self.answered = 0

    def delay(self, path: str) -> float:
        if not self.delays:
            return 0.0
        named = (self.delays[part] for part in path.split("/") if part in self.delays)
        return next(named, self.delays.get("*", 0.0))

    def note(self, body: bytes) -> None:
        at = body.find(NEEDLE)
        if at < 0:
            self.others += 1
            return
        received = self.runs.setdefault(body[at + BEGIN : at + END_OF_RUN], Received())
        received.numbers.append(int(body[at + END_OF_RUN + 1 : at + END]))
        received.times.append(time.monotonic())


class Provider(asyncio.Protocol):
    """One connection. Its calls come one after the other, as kept connections are used."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end]
            whole = end + 4 + _length(head)
            if len(self._held) < whole:
                return
            body, self._held = self._held[end + 4 : whole], self._held[whole:]
            method, path, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
            self._call(method, path.partition("?")[0], body)

    def _call(self, method: str, path: str, body: bytes) -> None:
        if path.startswith("/bench/"):
            self._write(200, control(self._world, method, path, body), "application/octet-stream")
            return
        if method == "POST" and path.endswith(("/messages", "/message")):
            self._world.note(body)
        self._world.answered += 1
        status, answer = answer_to(method, path, body, self._world.answered)
        delay = self._world.delay(path)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, status, answer)
        else:
            self._write(status, answer)

    def _write(self, status: int, body: bytes, kind: str = "application/json") -> None:
        if self._transport is not None and not self._transport.is_closing():
            head = f"HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(head.encode() + body)


def answer_to(method: str, path: str, body: bytes, number: int) -> tuple[int, bytes]:
    """What Meta and Genesys answer when all is well."""
    if path.endswith("/oauth/token"):
        return 200, b'{"access_token":"bench-token","token_type":"bearer","expires_in":86400}'
    if method == "POST" and path.endswith("/messages"):
        to = _between(body, b'"to":"')
        return 200, (
            b'{"messaging_product":"whatsapp","contacts":[{"input":"%s","wa_id":"%s"}],'
            b'"messages":[{"id":"wamid.bench%012d","message_status":"accepted"}]}' % (to, to, number)
        )
    if method == "POST" and path.endswith("/message"):
        return 200, (
            b'{"id":"%032x","type":"Text","direction":"Inbound","channel":{"platform":"Open","type":"Private"},'
            b'"conversationId":"%s"}' % (number, _between(body, b'"id":"').rjust(32, b"0"))
        )
    if method == "POST":
        return 200, b'{"id":"%032x","status":"Delivered","type":"Receipt","success":true}' % number
    return 404, b'{"error":{"message":"the provider of the bench knows messages only","code":404}}'


def control(world: World, method: str, path: str, body: bytes) -> bytes:
    name = path.removeprefix("/bench/")
    if name == "delays" and method == "POST":
        world.delays = json.loads(body)
        return b"{}"
    if name.startswith("arrivals/"):
        received = world.runs.get(name.removeprefix("arrivals/").encode(), Received())
        return received.numbers.tobytes() + received.times.tobytes()
    counts: dict[str, Any] = {run.decode("latin-1"): len(received.numbers) for run, received in world.runs.items()}
    return json.dumps({"runs": counts, "others": world.others}).encode()


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return 0 if at < 0 else int(head[at + 17 :].partition(b"\r\n")[0])


def _between(body: bytes, begin: bytes) -> bytes:
    """The string behind `begin`, which a quotation mark ends."""
    at = body.find(begin)
    return b"" if at < 0 else body[at + len(begin) : body.find(b'"', at + len(begin))]


async def main(ports: list[int]) -> None:
    world, loop = World(), asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(lambda: Provider(world), "127.0.0.1", port, backlog=1024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main([int(port) for port in sys.argv[1:]]))
