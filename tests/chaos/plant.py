"""What runs: three daemons, two webs behind a balancer, the servers they need, and the sandbox as both providers.

Web and daemons reach each server by wires of their own, so that one of them alone can lose it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import gevent
import psutil

from demo.stack import Postgres, Redis, S3Server
from demo.stack.child import Child
from demo.stack.ports import HOST, free_port
from demo.stack.postgres_home import postgres_home
from demo.stack.services import running
from tests import processes
from tests.chaos.balancer import Balancer
from tests.chaos.clocks import ClockSetter, clock_library
from tests.chaos.disk import SmallDisk, small_disk
from tests.chaos.wire import Wire
from tests.flow.installation import FAST, Installation, Line
from tests.processes import ROOT, Process
from tests.services.databases import Databases
from tests.services.fixtures import environment
from tests.services.rabbitmq import RabbitMQ

DAEMONS, WEBS, TENANTS, LINES = 3, 2, 2, 2
"""LINES: of each tenant."""
LIMITS = {"meta": {"number_per_second": None, "pair_burst": None}, "genesys": {"per_minute": None}}
WATCH_SECONDS = 0.5
START_SECONDS = 300.0
"""Until each is up for the first time, on whatever machine."""


class Server(Protocol):
    child: Child

    def wait_ready(self, deadline: float = 60) -> None: ...


@dataclass
class Part:
    """Something that can be killed, stopped and frozen. `away`: somebody does so on purpose at the moment."""

    name: str
    child: Child
    server: Server | Process
    away: bool = False
    made_of: Callable[[Path], Process] | None = None
    """The same of other sources, for what is ours."""

    def start(self) -> None:
        self.child.start()
        self.server.wait_ready(START_SECONDS)

    def become(self, code: Path) -> None:
        """Stopped as an operator does, and started from the sources in `code`."""
        assert self.made_of is not None
        self.away = True
        self.child.stop()
        self.child = self.server = self.made_of(code)
        self.child.start()
        self.away = False
        self.server.wait_ready(START_SECONDS)

    def kill(self) -> None:
        """With all that it started: PostgreSQL's sessions are groups of their own."""
        for one in self.processes():
            with suppress(psutil.NoSuchProcess):  # it went with the one that had started it
                one.kill()
        self.child.kill9()

    def processes(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self.child.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


@dataclass
class Plant:
    installation: Installation
    """As a client: its sandbox runs, its web and daemon do not."""
    daemons: list[Part]
    webs: list[Part]
    web_ports: list[int]
    servers: dict[str, Part]
    wires: dict[tuple[str, str], Wire]
    """By who goes to which server: ("relay-1", "PostgreSQL")."""
    rabbitmq: RabbitMQ
    postgres: Postgres
    redis: Redis
    clocks: dict[str, ClockSetter]
    """By the name of a daemon or web; empty where they cannot be set."""
    disk: SmallDisk | None
    """PostgreSQL's, where this process may mount one."""
    lines: list[Line] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    """Who ended without anybody's doing, with the end of its log. It was started again, as a supervisor would."""

    def wires_to(self, server: str, who: str | None = None) -> list[Wire]:
        return [wire for (one, other), wire in self.wires.items() if other == server and who in (None, one)]

    def watch(self) -> None:
        """For as long as the greenlet lives."""
        while True:
            for part in (*self.daemons, *self.webs):
                if not part.away and not part.child.running():
                    self.ended.append(f"{part.name}, whose log ends:\n{part.child.tail(12)}")
                    part.child.start()
            gevent.sleep(WATCH_SECONDS)

    def onboard(self) -> None:
        self.installation.control("POST", "/limits", LIMITS)
        for number in range(TENANTS):
            self.lines += self.installation.tenant(f"Tenant {number}", lines=LINES)


def migrate(env: dict[str, str], code: Path) -> None:
    """As an operator does, with the program in `code`."""
    command = [sys.executable, "-m", "relay", "migrate"]
    subprocess.run(command, cwd=code, env=os.environ | env, check=True, capture_output=True)


@contextmanager
def running_plant(folder: Path, code: Path = ROOT) -> Iterator[Plant]:
    """All of it, ready, with tenants on it. `code` has the sources of web and daemons."""
    logs = folder / "logs"
    with ExitStack() as stack:
        home = stack.enter_context(postgres_home(folder))
        disk = stack.enter_context(small_disk(home.data.parent, home.user))
        if disk is not None:
            home = replace(home, data=disk.folder / "data")
        # What was committed must be there after kill -9, as where the product runs.
        postgres = stack.enter_context(running(Postgres(home, logs, durable=True)))
        rabbitmq = RabbitMQ(folder, logs)
        stack.callback(rabbitmq.kill)
        rabbitmq.start()
        redis = stack.enter_context(running(Redis(folder, logs)))
        objects = stack.enter_context(running(S3Server(folder, logs)))
        rabbitmq.wait_ready(START_SECONDS)
        plant = _plant(folder, postgres, rabbitmq, redis, objects, disk, code, stack)
        plant.onboard()
        watching = gevent.spawn(plant.watch)
        stack.callback(watching.kill)
        yield plant


def _plant(
    folder: Path,
    postgres: Postgres,
    rabbitmq: RabbitMQ,
    redis: Redis,
    objects: S3Server,
    disk: SmallDisk | None,
    code: Path,
    stack: ExitStack,
) -> Plant:
    logs = folder / "logs"
    broker = rabbitmq.create_virtual_host(f"chaos-{secrets.token_hex(4)}")
    env = environment(Databases(postgres).create_empty(), broker, redis.url(), objects) | FAST
    ports = {"PostgreSQL": postgres.port, "RabbitMQ": rabbitmq.port, "Redis": redis.port, "objects": objects.port}
    names = [*(f"relay-{number + 1}" for number in range(DAEMONS)), *(f"web-{number + 1}" for number in range(WEBS))]
    wires = {(who, server): Wire(port) for who in names for server, port in ports.items()}
    for wire in wires.values():
        wire.start()
        stack.callback(wire.stop)
    web_ports = [free_port() for _ in range(WEBS)]
    balancer = Balancer(web_ports, folder / "nginx")
    stack.callback(balancer.stop)
    balancer.start()
    balancer.wait_ready()
    env |= {"PUBLIC_URL": f"http://{HOST}:{balancer.port}", "TRUSTED_PROXIES": "1", "LOG_FORMAT": "json"}

    migrate(env, code)
    library = clock_library(folder / "clocks")
    clocks = {who: ClockSetter(library, who) for who in names} if library else {}

    def own(who: str, **more: str) -> dict[str, str]:
        return _by_wire(
            env | (clocks[who].env() if clocks else {}) | more,
            {server: (ports[server], wires[(who, server)].port) for server in ports},
        )

    installation = Installation(env, logs)
    daemons = [
        _part(partial(processes.relay, own(name, METRICS_PORT=str(free_port())), logs, name), code)
        for name in names[:DAEMONS]
    ]
    webs = [
        _part(partial(processes.web, own(name, WEB_PORT=str(port)), logs, 1, name), code)
        for name, port in zip(names[DAEMONS:], web_ports, strict=True)
    ]
    stack.callback(installation.sandbox.kill9)
    installation.sandbox.start()
    for part in (*webs, *daemons):
        part.child.start()
        stack.callback(part.kill)
    for process in (installation.sandbox, *(part.server for part in (*webs, *daemons))):
        process.wait_ready(START_SECONDS)
    servers: dict[str, Server] = {"PostgreSQL": postgres, "RabbitMQ": rabbitmq, "Redis": redis, "objects": objects}
    return Plant(
        installation,
        daemons,
        webs,
        web_ports,
        {name: Part(name, server.child, server) for name, server in servers.items()},
        wires,
        rabbitmq,
        postgres,
        redis,
        clocks,
        disk,
    )


def _part(made_of: Callable[[Path], Process], code: Path) -> Part:
    process = made_of(code)
    return Part(process.name, process, process, made_of=made_of)


def _by_wire(env: dict[str, str], wires: dict[str, tuple[int, int]]) -> dict[str, str]:
    """The settings that name servers, with the wires' ports in place of theirs. Links to files go past the wires."""
    changed = dict(env)
    named = {"PostgreSQL": "DATABASE_URL", "RabbitMQ": "BROKER_URL", "Redis": "REDIS_URL", "objects": "MINIO_ENDPOINT"}
    for server, setting in named.items():
        theirs, wire = wires[server]
        assert f"{HOST}:{theirs}" in env[setting], f"{setting} does not name {server}"
        changed[setting] = env[setting].replace(f"{HOST}:{theirs}", f"{HOST}:{wire}")
    return changed
