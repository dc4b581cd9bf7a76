"""An orderly stop of web: short, and nothing of what was being asked or taken is lost by it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import gevent
import pytest
import requests

from demo.stack.ports import HOST, free_port, listens
from tests import processes as processes_of
from tests.integration import webhook_world as world_of
from tests.integration.webhook_world import APP_SECRET, Line, World, change, envelope, meta_signature, text
from tests.processes import Process
from tests.security.proxies import Proxy
from tests.waiting import PATIENCE, wait_until

FOR_EVER = "--keep-alive 3600 --graceful-timeout 3600"
"""Longer than any test waits: what is held up by it does not end."""
SENDERS = 8


@pytest.fixture(scope="module")
def world(settings_env: dict[str, str]) -> Iterator[World]:
    built = world_of.build(settings_env)
    built.arrivals.start()
    yield built
    built.arrivals.consumer.stop()
    world_of.close(built)


@pytest.fixture
def env(settings_env: dict[str, str]) -> dict[str, str]:
    return {**settings_env, "WEB_PORT": str(free_port()), "GUNICORN_CMD_ARGS": FOR_EVER}


@dataclass
class Sender:
    """Sends one webhook after the other over a connection that is kept, until it is over or is let in no more."""

    url: str
    line: Line
    name: str
    verify: str | bool = True
    over: bool = False
    taken: list[str] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    refused: bool = False

    def run(self) -> None:
        with requests.Session() as session:
            while not (self.over or self.refused):
                self._send(session, f"{self.name} {len(self.taken)}")

    def _send(self, session: requests.Session, words: str) -> None:
        raw = webhook(self.line, words)
        headers = meta_signature(raw, APP_SECRET)
        try:
            answer = session.post(self.url, raw, headers=headers, timeout=PATIENCE, verify=self.verify)
        except requests.ConnectionError as error:
            self.refused = "refused" in str(error)
            if not self.refused:
                self.cut.append(str(error))
            return
        if answer.status_code == 200:
            self.taken.append(words)
        else:
            self.others.append(answer.status_code)


def webhook(line: Line, words: str) -> bytes:
    return json.dumps(envelope(change(line.phone_number_id, text(words)))).encode()


def words_of(world: World, line: Line, count: int) -> list[str]:
    return [one.payload["message"]["text"]["body"] for one in world.arrivals.of(line, count)]


def ended(web: Process) -> int:
    """The exit code of a web that was asked to stop."""
    return web.wait(PATIENCE)


def test_connections_on_which_nobody_asks_do_not_hold_a_stop(
    env: dict[str, str], tmp_path: Path, processes: Callable[[Process], Process]
) -> None:
    web = processes(processes_of.web(env, tmp_path, workers=2))
    with ExitStack() as held:
        for _ in range(6):
            kept = http.client.HTTPConnection(HOST, int(env["WEB_PORT"]), timeout=PATIENCE)
            held.callback(kept.close)
            kept.request("GET", "/health/live")
            assert kept.getresponse().read()
            held.enter_context(socket.create_connection((HOST, int(env["WEB_PORT"])), timeout=PATIENCE))
        web.send(signal.SIGTERM)
        assert ended(web) == 0


def test_a_request_that_has_begun_is_answered_before_the_end(
    world: World, env: dict[str, str], tmp_path: Path, processes: Callable[[Process], Process]
) -> None:
    line, port = world.line(), int(env["WEB_PORT"])
    web = processes(processes_of.web(env, tmp_path))
    raw = webhook(line, "begun before the stop")
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
    connection.putrequest("POST", "/webhook/meta")
    for name, value in {**meta_signature(raw, APP_SECRET), "Content-Length": str(len(raw))}.items():
        connection.putheader(name, value)
    connection.endheaders(raw[:10])
    wait_until(lambda: requests.get(f"http://{HOST}:{port}/health/ready", timeout=PATIENCE).ok, message="its turn")
    web.send(signal.SIGTERM)
    wait_until(lambda: not listens(port), message="the end of listening")
    assert web.running()
    connection.send(raw[10:])
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (200, "close")
    assert words_of(world, line, 1) == ["begun before the stop"]
    assert ended(web) == 0


def test_a_stop_under_traffic_cuts_nobody_and_keeps_what_was_taken(
    world: World, env: dict[str, str], tmp_path: Path, processes: Callable[[Process], Process]
) -> None:
    line = world.line()
    web = processes(processes_of.web(env, tmp_path, workers=2))
    senders = [Sender(f"http://{HOST}:{env['WEB_PORT']}/webhook/meta", line, f"s{n}") for n in range(SENDERS)]
    sending = [gevent.spawn(one.run) for one in senders]
    wait_until(lambda: all(len(one.taken) >= 5 for one in senders), message="traffic")
    web.send(signal.SIGTERM)
    gevent.joinall(sending, timeout=PATIENCE, raise_error=True)
    assert ended(web) == 0
    assert [(one.refused, one.others, one.cut) for one in senders] == [(True, [], [])] * SENDERS
    taken = [words for one in senders for words in one.taken]
    assert sorted(words_of(world, line, len(taken))) == sorted(taken)


def test_of_two_webs_behind_the_proxy_each_is_restarted_and_nobody_notices(
    world: World, env: dict[str, str], tmp_path: Path, processes: Callable[[Process], Process]
) -> None:
    line = world.line()
    environments = [env | {"TRUSTED_PROXIES": "1", "WEB_PORT": str(free_port())} for _ in range(2)]
    webs = [processes(processes_of.web(one, tmp_path, name=f"web{n}")) for n, one in enumerate(environments)]
    with Proxy(int(environments[0]["WEB_PORT"]), tmp_path, int(environments[1]["WEB_PORT"])) as proxy:
        senders = [Sender(proxy.url("/webhook/meta"), line, f"s{n}", proxy.authority) for n in range(SENDERS)]
        sending = [gevent.spawn(one.run) for one in senders]
        for number, web in enumerate(webs):
            _wait_for_more(senders)
            web.send(signal.SIGTERM)
            assert ended(web) == 0
            _wait_for_more(senders)
            processes(processes_of.web(environments[number], tmp_path, name=f"web{number}-again"))
        _wait_for_more(senders)
        for one in senders:
            one.over = True
        gevent.joinall(sending, timeout=PATIENCE, raise_error=True)
    assert [(one.others, one.cut) for one in senders] == [([], [])] * SENDERS
    taken = {words for one in senders for words in one.taken}
    assert taken <= set(words_of(world, line, len(taken)))


def test_a_new_web_takes_the_port_over_and_nobody_notices(
    world: World, env: dict[str, str], tmp_path: Path, processes: Callable[[Process], Process]
) -> None:
    line = world.line()
    web = processes(processes_of.web(env, tmp_path))
    senders = [Sender(f"http://{HOST}:{env['WEB_PORT']}/webhook/meta", line, f"s{n}") for n in range(SENDERS)]
    sending = [gevent.spawn(one.run) for one in senders]
    _wait_for_more(senders)
    web.send(signal.SIGUSR2)
    wait_until(lambda: web.output().count("publisher_connected") == 2, message="the new one")
    web.send(signal.SIGTERM)
    assert ended(web) == 0
    _wait_for_more(senders)
    for one in senders:
        one.over = True
    gevent.joinall(sending, timeout=PATIENCE, raise_error=True)
    assert [(one.refused, one.others, one.cut) for one in senders] == [(False, [], [])] * SENDERS
    taken = {words for one in senders for words in one.taken}
    assert taken <= set(words_of(world, line, len(taken)))


def _wait_for_more(senders: list[Sender]) -> None:
    before = [len(one.taken) for one in senders]
    wait_until(
        lambda: all(len(one.taken) >= had + 5 for one, had in zip(senders, before, strict=True)), message="more traffic"
    )
