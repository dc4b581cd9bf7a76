"""Every provider call passes here: counted, troubled by the faults that are set, answered or refused."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent
from flask import Response, request

from sandbox.faults import Faults
from sandbox.journal import Processed
from sandbox.refusal import Refusal
from sandbox.world_access import current

HTML_502 = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
HTML_200 = "<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"


@dataclass(slots=True)
class ProviderAnswer:
    """`message_id` and `reference` say what was processed, for the list of lost answers."""

    body: Any
    status: int = 200
    message_id: str | None = None
    reference: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: Response | None = None


@dataclass(frozen=True, slots=True)
class ProviderFront:
    """How one side answers: its injected errors, and the headers on everything."""

    side: str
    injected: Callable[[int], Refusal]
    headers: Callable[[], dict[str, str]]


def perform(provider: ProviderFront, call: str, action: Callable[[], ProviderAnswer]) -> Response:
    world = current()
    stats = world.stats.side(provider.side)
    stats.calls[call] += 1
    faults: Faults = world.faults(provider.side)
    troubled = call in faults.calls and _concerned(faults)
    response = _before(provider, call, faults) if troubled else None
    if response is None:
        response, answer = _process(provider, action)
        if answer is not None:
            entry = world.journal.write(provider.side, call, answer.message_id, answer.reference)
            response = _after(provider, entry, faults, response) if troubled else response
    stats.answers[str(response.status_code)] += 1
    response.headers.extend(provider.headers())
    return response


def _concerned(faults: Faults) -> bool:
    """`only` picks a line by the id in the path, a message or a customer by a text in the body, a caller by token."""
    if not faults.only:
        return True
    said = request.path + request.get_data(cache=True).decode(errors="replace") + _caller()
    return any(text in said for text in faults.only)


def _caller() -> str:
    """The bearer token, or the id of the client that asks for one."""
    presented = request.authorization
    return (presented.token or presented.username or "") if presented else ""


def _process(provider: ProviderFront, action: Callable[[], ProviderAnswer]) -> tuple[Response, ProviderAnswer | None]:
    try:
        answer = action()
    except Refusal as refusal:
        current().stats.side(provider.side).refused[refusal.reason[:120]] += 1
        return refuse(refusal), None
    return answer.raw or _json(answer.body, answer.status, answer.headers), answer


def _before(provider: ProviderFront, call: str, faults: Faults) -> Response | None:
    """Trouble that keeps the call from being processed."""
    dice, injected = current().dice(provider.side), current().stats.side(provider.side).errors_injected
    if faults.latency_ms[1]:
        gevent.sleep(dice.between(*faults.latency_ms) / 1000)
    if dice.strikes(faults.drop_rate):
        injected["dropped"] += 1
        return hang_up()
    if dice.strikes(faults.html_502_rate):
        injected["html_502"] += 1
        return _html()
    if dice.strikes(faults.html_200_rate):
        injected["html_200"] += 1
        return Response(HTML_200, 200, mimetype="text/html")
    if dice.strikes(faults.error_rate):
        refusal = provider.injected(dice.choose(faults.error_codes))
        injected[refusal.reason.split()[0]] += 1
        if refusal.status == 429:
            refusal.headers = {"Retry-After": str(faults.retry_after)}
        return refuse(refusal)
    return None


def _after(provider: ProviderFront, entry: Processed, faults: Faults, response: Response) -> Response:
    """Trouble that loses the answer of a call that was processed."""
    dice = current().dice(provider.side)
    if dice.strikes(faults.timeout_rate):
        _lose(entry, "timed_out")
        gevent.sleep(faults.timeout_seconds)
        return hang_up()
    if dice.strikes(faults.html_502_processed_rate):
        _lose(entry, "html_502_processed")
        return _html()
    return response


def _lose(entry: Processed, trouble: str) -> None:
    stats = current().stats
    stats.side(entry.side).errors_injected[trouble] += 1
    stats.lost_answer(entry.side, entry.call, entry.id, entry.reference)
    entry.answered = False


def hang_up() -> Response:
    """Closes the connection; what is returned afterwards finds nobody."""
    connection = request.environ.get("sandbox.socket")
    if connection is not None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return Response(status=502)
    return Response(status=502)


def refuse(refusal: Refusal) -> Response:
    return _json(refusal.body(), refusal.status, refusal.headers)


def _html() -> Response:
    return Response(HTML_502, 502, mimetype="text/html")


def _json(body: Any, status: int, headers: dict[str, str]) -> Response:
    text = "" if status == 204 else json.dumps(body, separators=(",", ":"))
    return Response(text, status, headers, mimetype="application/json")
