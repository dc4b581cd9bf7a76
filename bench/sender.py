"""The load generator: a program of its own, so that it shares nothing with who measures.

Reads a Load as one line of JSON, prepares it, writes `ready`, waits for a line, sends, and writes its findings: a line
of JSON, then three arrays of doubles by message number (due, sent, answered; monotonic seconds) to the file it is told.
An answer of 429 or 5xx is repeated after a moment, as providers do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from bench.lines import Line
from bench.workload import Load, Request, of_stream

REPEAT_SECONDS = 0.2
PATIENCE = 300
"""So many times a webhook is repeated: a minute."""


class Findings:
    def __init__(self, count: int) -> None:
        self.due, self.sent, self.answered = (array("d", bytes(8 * count)) for _ in range(3))
        self.webhooks = 0
        self.repeated = 0


class Stream(asyncio.Protocol):
    """One kept connection. It is opened again when the server closed it between two requests."""

    def __init__(self, load: Load, requests: Sequence[Request], findings: Findings, place: int) -> None:
        self._load = load
        self._requests = requests
        self._findings = findings
        self._place = place
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(f"the server closed the connection: {error or 'no reason'}"))

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._held[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = 0 if at < 0 else int(head[at + 17 :].partition(b"\r\n")[0])
        if len(self._held) < end + 4 + length or self._answer is None:
            return
        self._held = b""
        self._answer.set_result(int(head[9:12]))

    async def run(self, start: float) -> None:
        load, found = self._load, self._findings
        for index, request in enumerate(self._requests):
            due = None
            if load.rate:
                # The streams take turns: the whole load is even, whatever a request holds.
                due = start + (index * load.streams + self._place) * len(request.numbers) / load.rate
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
            sent = time.monotonic()
            await self._taken(request)
            answered = time.monotonic()
            for number in request.numbers:
                found.due[number], found.sent[number], found.answered[number] = due or sent, sent, answered

    async def _taken(self, request: Request) -> None:
        for _ in range(PATIENCE):
            status = await self._post(request.raw)
            self._findings.webhooks += 1
            if status == 200:
                return
            if status != 429 and status < 500:
                raise RuntimeError(f"a webhook was answered {status}: {request.raw[:300]!r}")
            self._findings.repeated += 1
            await asyncio.sleep(REPEAT_SECONDS)
        raise RuntimeError(f"a webhook was refused {PATIENCE} times")

    async def _post(self, raw: bytes) -> int:
        loop = asyncio.get_running_loop()
        if self._transport is None:
            await loop.create_connection(lambda: self, "127.0.0.1", self._load.port)
        assert self._transport is not None
        self._answer = loop.create_future()
        self._transport.write(raw)
        status = await self._answer
        self._answer = None
        return status


async def send(load: Load, streams: list[list[Request]], findings: Findings) -> None:
    start = time.monotonic()
    runs = [Stream(load, requests, findings, place).run(start) for place, requests in enumerate(streams)]
    await asyncio.gather(*runs)


def main() -> int:
    given = json.loads(sys.stdin.readline())
    file = Path(given.pop("file"))
    load = Load(**(given | {"lines": tuple(Line(**one) for one in given["lines"])}))
    streams = [list(of_stream(load, number)) for number in range(load.streams)]
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 0
    findings = Findings(load.count)
    began = time.process_time()
    asyncio.run(send(load, streams, findings))
    with file.open("wb") as output:
        for values in (findings.due, findings.sent, findings.answered):
            values.tofile(output)
    found = {"cpu": time.process_time() - began, "webhooks": findings.webhooks, "repeated": findings.repeated}
    print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
