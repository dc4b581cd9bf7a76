"""Starts the product's own processes, with tenants that were onboarded as an admin would."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from bench.contender import WEB_WORKERS, Pids
from bench.lines import Line
from bench.servers import Servers
from demo.stack.ports import free_port
from tests import processes
from tests.flow.installation import Installation, genesys_credentials, whatsapp_credentials
from tests.services.fixtures import environment

TENANTS = 4
LINES = 2
"""Of each."""
UNLIMITED = {"GENESYS_RATE_PER_MINUTE": "6000000", "WHATSAPP_RATE_PER_SECOND": "100000", "LOG_FORMAT": "json"}


class Relay:
    """The product. Its providers are the sandbox while tenants are onboarded, and the no-work ones afterwards."""

    def __init__(self, servers: Servers, logs: Path, name: str = "relay") -> None:
        self.name = name
        self.database = servers.databases.create()
        broker, objects = servers.new_broker(self.name), servers.objects
        self.env = environment(self.database, broker, servers.redis.url(), objects) | UNLIMITED
        self.port = int(self.env["WEB_PORT"])
        self.provider_port = int(self.env["SANDBOX_PORT"])
        self.provider_url = self.env["GENESYS_API_URL"]
        self.metrics_ports: list[int] = []
        """Of the daemons that run."""
        self._logs = logs
        with Installation(self.env, logs) as installed:
            onboarded = [self._onboard(installed, number) for number in range(TENANTS)]
        # Neighbours in the list are of different tenants: a load on the first few lines is a load of many tenants.
        self.lines = tuple(lines[number] for number in range(LINES) for lines in onboarded)

    @contextmanager
    def running(self, daemons: int = 1) -> Iterator[Pids]:
        with ExitStack() as stack:
            pids = []
            self.metrics_ports = [free_port() for _ in range(daemons)]
            for port in self.metrics_ports:
                env = self.env | {"METRICS_PORT": str(port)}
                pids.append(stack.enter_context(processes.relay(env, self._logs, f"relay-{port}")).pid)
            web = stack.enter_context(processes.web(self.env, self._logs, workers=WEB_WORKERS))
            yield {"web": (web.pid,), "daemon": tuple(pids)}

    def analyze(self) -> None:
        """As autovacuum would have done on a database that has been in use."""
        connection = psycopg2.connect(self.database)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        connection.close()

    @staticmethod
    def _onboard(installed: Installation, number: int) -> list[Line]:
        name, secret = f"Bench {number}", f"secret-{secrets.token_hex(12)}"
        waba, client = str(10**14 + number), secrets.token_hex(8)
        accounts = [Installation.accounts(name, secret, waba, client) for _ in range(LINES)]
        for account in accounts:
            installed.control("POST", "/accounts", account)
        tenant = installed.api("POST", "/api/tenants", {"name": name})["id"]
        first = accounts[0]
        installed.api("PUT", f"/api/tenants/{tenant}/whatsapp/credentials", whatsapp_credentials(first["whatsapp"]))
        installed.api("PUT", f"/api/tenants/{tenant}/genesys/credentials", genesys_credentials(first["genesys"]))
        for account in accounts:
            installed.api("POST", f"/api/tenants/{tenant}/lines", _pair(account))
        done = installed.api("POST", f"/api/tenants/{tenant}/complete-onboarding")["lines"]
        for account in accounts:
            installed.connect(tenant, account, done)
        return [_line(number, account, done) for account in accounts]


def _pair(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "phone_number_id": account["whatsapp"]["phone_number_id"],
        "integration_id": account["genesys"]["integration_id"],
        "webhook_secret": account["genesys"]["webhook_secret"],
    }


def _line(tenant: int, account: dict[str, Any], done: list[dict[str, Any]]) -> Line:
    whatsapp, genesys = account["whatsapp"], account["genesys"]
    urls = next(one["webhook_urls"] for one in done if one["phone_number_id"] == whatsapp["phone_number_id"])
    return Line(
        tenant,
        whatsapp["phone_number_id"],
        genesys["integration_id"],
        urlsplit(urls["meta"]).path,
        whatsapp["app_secret"],
        urlsplit(urls["genesys"]).path,
        genesys["webhook_secret"],
    )
