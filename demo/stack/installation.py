"""A whole installation on this machine: embedded services, migrations, then sandbox, relay and web.

Web, relay and the migrations are started with the very commands of the Procfile.
"""

import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from cryptography.fernet import Fernet
from honcho.environ import parse_procfile

from demo.stack.child import Child, ChildDied
from demo.stack.ports import HOST, Ports
from demo.stack.run_folder import ROOT, RunFolder
from demo.stack.services import embedded_services
from demo.stack.waiting import DeadlinePassed, wait_until

INSECURE = "demo-secrets,http-public-url,http-files-url,files-beside-portal,stand-ins"
"""What a demo on one machine has to do without, in the words of docs/configuration.md."""
READY_SECONDS = 120
MIGRATION_SECONDS = 300
Say = Callable[[str], None]


@dataclass
class Installation:
    """What runs, and where."""

    env: dict[str, str]
    children: list[Child] = field(default_factory=list)

    @property
    def web(self) -> str:
        return self.env["PUBLIC_URL"]

    @property
    def sandbox(self) -> str:
        return self.env["SANDBOX_URL"]

    @property
    def daemon(self) -> str:
        return f"http://{HOST}:{self.env['METRICS_PORT']}"

    def check(self) -> None:
        """Raise ChildDied when one of its processes is gone."""
        for child in self.children:
            child.check()


@contextmanager
def installation(folder: RunFolder, ports: Ports, say: Say) -> Iterator[Installation]:
    """Everything up and ready; at the end everything is stopped, the last one first."""
    with ExitStack() as running:
        say("PostgreSQL, Redis and the object store")
        services = running.enter_context(embedded_services(folder.data, folder.logs))
        it = Installation(_environment(ports) | _temporary(folder) | services)
        commands = _procfile()
        say("the database's schema")
        run_to_its_end("release", commands["release"], it.env, folder.logs)
        for name, command, ready in (
            ("sandbox", [sys.executable, "-m", "sandbox"], f"{it.sandbox}/control/health"),
            ("relay", commands["relay"], f"{it.daemon}/health/ready"),
            ("web", commands["web"], f"{it.web}/health/ready"),
        ):
            say(name)
            child = Child(name, command, folder.logs / f"{name}.log", it.env, ROOT)
            it.children.append(child)
            running.callback(child.stop)
            child.start()
            _wait_ready(it, name, ready)
        yield it


def _wait_ready(it: Installation, name: str, url: str) -> None:
    def ready() -> bool:
        it.check()
        try:
            return requests.get(url, timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):  # a busy machine is slow to its first answer
            return False

    wait_until(ready, READY_SECONDS, f"{name} to be ready at {url}", interval=0.1)


def run_to_its_end(
    name: str, command: list[str], env: Mapping[str, str], logs: Path, seconds: float = MIGRATION_SECONDS
) -> None:
    """Raise ChildDied when `command` fails, DeadlinePassed when it takes longer than `seconds`; both show its log."""
    with Child(name, command, logs / f"{name}.log", env, ROOT) as child:
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise DeadlinePassed(
                f"{name} was not done after {seconds:g} s: try again when this machine has less to do. "
                f"The end of {child.log}:\n{child.tail()}"
            ) from None
        if code:
            raise ChildDied(f"{name} ended with exit code {code}. The end of {child.log}:\n{child.tail()}")


def _procfile() -> dict[str, list[str]]:
    parsed = parse_procfile((ROOT / "Procfile").read_text())
    return {name: shlex.split(command) for name, command in parsed.processes.items()}


def _temporary(folder: RunFolder) -> dict[str, str]:
    """What a process leaves among its temporary files goes with the run, also when it was killed."""
    path = folder.data / "tmp"
    path.mkdir(parents=True)
    return {"TMPDIR": str(path)}


def _environment(ports: Ports) -> dict[str, str]:
    stand_in = f"http://{HOST}:{ports.sandbox}"
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
        "RELAY_INSECURE": INSECURE,
        "PUBLIC_URL": f"http://{HOST}:{ports.web}",
        "WEB_HOST": HOST,
        "WEB_PORT": str(ports.web),
        "METRICS_HOST": HOST,
        "METRICS_PORT": str(ports.metrics),
        "SECRET_KEY": secrets.token_hex(32),
        "CREDENTIALS_KEYS": Fernet.generate_key().decode(),
        "ADMIN_API_KEY": "demo-admin-key",
        "META_GRAPH_URL": f"{stand_in}/graph",
        "META_APP_SECRET": "demo-app-secret-nordwind-0001",
        "META_VERIFY_TOKEN": "demo-verify-token",
        "GENESYS_LOGIN_URL": f"{stand_in}/genesys/login",
        "GENESYS_API_URL": f"{stand_in}/genesys/api",
        "SANDBOX_HOST": HOST,
        "SANDBOX_PORT": str(ports.sandbox),
        "SANDBOX_URL": stand_in,
    }
    return {"LOG_FORMAT": "console"} | dict(os.environ) | own
