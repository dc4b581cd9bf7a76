"""A private RabbitMQ: the system's binaries, everything else its own.

Own node name, ports (also for the name server and the distribution), data, logs, configuration
and Erlang cookie, so that an instance of the machine is neither used nor disturbed.
"""

import os
import secrets
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from kombu import Connection

from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from tests.services.certificates import HERE as NAME
from tests.services.certificates import Authority, Certificate
from tests.waiting import wait_until

# Debian's /usr/sbin/rabbitmq-server changes to the system's user and directories; these are the programs behind it.
SCRIPTS = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/opt/homebrew/sbin", "/usr/local/sbin")


class RabbitMQ:
    """One node. `url` names a fresh virtual host where none is given."""

    def __init__(self, directory: Path, logs: Path) -> None:
        self.port, self.tls_port, self.management_port = free_port(), free_port(), free_port()
        self._directory = directory / "rabbitmq"
        self._user, self._password = "relay", secrets.token_hex(16)
        env = self._env = self._environment()
        self._names = Child("epmd", self._epmd(env), logs / "epmd.log", env, stop_seconds=5)
        self.child = Child(
            "rabbitmq", [_script("rabbitmq-server")], logs / "rabbitmq.log", env, self._directory, stop_seconds=30
        )

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        self._put(Authority(self._directory / "authority").right())
        self._names.start()
        wait_until(lambda: listens(self._names_port), 30, "epmd to listen")
        self.child.start()

    def wait_ready(self, deadline: float = 90) -> None:
        wait_until(self._answers, deadline, "RabbitMQ to answer", interval=0.2)

    def stop(self) -> None:
        self.child.stop()
        self._names.stop()

    def kill(self) -> None:
        """For the end of the session, when nobody asks for its data any more: to stop takes it several seconds."""
        self.child.kill9()
        self._names.stop()

    def url(self, virtual_host: str = "/") -> str:
        return f"amqp://{self._user}:{self._password}@{HOST}:{self.port}/{quote(virtual_host, safe='')}"

    def tls_url(self, virtual_host: str) -> str:
        """By TLS, and by the name that certificates are made out to."""
        plain = self.url(virtual_host)
        return plain.replace("amqp://", "amqps://").replace(f"{HOST}:{self.port}", f"{NAME}:{self.tls_port}")

    def show(self, certificate: Certificate) -> None:
        """Be known by this certificate on the TLS port from now on."""
        self._put(certificate)
        shown = ssl.PEM_cert_to_DER_cert(certificate.certificate.read_text())
        wait_until(
            lambda: ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((HOST, self.tls_port))) == shown,
            30,
            "RabbitMQ to show its new certificate",
        )

    def env(self) -> dict[str, str]:
        return {"BROKER_URL": self.url()}

    def create_virtual_host(self, name: str) -> str:
        """An empty broker inside the broker; the answer is its URL."""
        self.manage("PUT", f"vhosts/{quote(name, safe='')}")
        return self.url(name)

    def delete_virtual_host(self, name: str) -> None:
        self.manage("DELETE", f"vhosts/{quote(name, safe='')}")

    def manage(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """One call of the management API, e.g. ("GET", "queues/vhost/name")."""
        url = f"http://{HOST}:{self.management_port}/api/{path}"
        answer = requests.request(method, url, json=body, auth=(self._user, self._password), timeout=30)
        answer.raise_for_status()
        return answer

    def control(self, *words: str) -> None:
        """One command of rabbitmqctl, on this node."""
        command = [_script("rabbitmqctl"), *words]
        done = subprocess.run(command, env=self._env, cwd=self._directory, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"rabbitmqctl {' '.join(words)}: {done.stdout}{done.stderr}"

    @contextmanager
    def alarm(self, *words: str) -> Iterator[None]:
        """Short of memory or disk by a command of rabbitmqctl: publishers are not read."""
        self.control(*words)
        try:
            yield
        finally:
            self.control("set_vm_memory_high_watermark", "0.6")
            self.control("set_disk_free_limit", "64MB")

    def forbid(self, virtual_host: str) -> None:
        """Our user may do nothing there any more."""
        self.manage("DELETE", f"permissions/{quote(virtual_host, safe='')}/{self._user}")

    def permit(self, virtual_host: str) -> None:
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.manage("PUT", f"permissions/{quote(virtual_host, safe='')}/{self._user}", everything)

    def _answers(self) -> bool:
        self.child.check()
        if not (listens(self.port) and listens(self.management_port)):
            return False
        with Connection(self.url(), connect_timeout=5) as connection:
            return bool(connection.connect().connected)

    def _environment(self) -> dict[str, str]:
        self._names_port = free_port()
        here = str(self._directory)
        own = {
            "HOME": here,
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the server: no shell in between that eats signals
            "RABBITMQ_NODENAME": f"relay-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                # Erlang keeps what it read of a certificate for two minutes; here it looks again at once.
                "-kernel inet_dist_use_interface {127,0,0,1} -ssl ssl_pem_cache_clean 200"
            ),
            "RABBITMQ_CONF_ENV_FILE": f"{here}/environment.conf",
            "RABBITMQ_CONFIG_FILE": f"{here}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{here}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{here}/data",
            "RABBITMQ_LOG_BASE": f"{here}/log",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{here}/config",
            "RABBITMQ_PID_FILE": f"{here}/pid",
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return others | own

    def _write_configuration(self) -> None:
        (self._directory / "environment.conf").touch()
        (self._directory / "plugins").write_text("[rabbitmq_management].\n")
        configuration = self._directory / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"listeners.tcp.1 = {HOST}:{self.port}\n"
            f"listeners.ssl.1 = {HOST}:{self.tls_port}\nssl_options.verify = verify_none\n"
            f"ssl_options.certfile = {self._shown.certificate}\nssl_options.keyfile = {self._shown.key}\n"
            f"management.tcp.ip = {HOST}\nmanagement.tcp.port = {self.management_port}\n"
            f"default_user = {self._user}\ndefault_pass = {self._password}\n"
            "disk_free_limit.absolute = 64MB\nlog.file = false\nlog.console = true\nlog.console.level = warning\n"
        )

    @property
    def _shown(self) -> Certificate:
        return Certificate(self._directory / "shown.pem", self._directory / "shown.key")

    def _put(self, certificate: Certificate) -> None:
        shutil.copyfile(certificate.certificate, self._shown.certificate)
        shutil.copyfile(certificate.key, self._shown.key)

    def _epmd(self, env: dict[str, str]) -> list[str]:
        program = shutil.which("epmd", path=env.get("PATH"))
        if not program:
            raise FileNotFoundError("no epmd: install Erlang, `make test` does so where it may")
        return [program, "-port", env["ERL_EPMD_PORT"], "-address", HOST]


def _script(name: str) -> str:
    for folder in SCRIPTS:
        if (Path(folder) / name).exists():
            return str(Path(folder) / name)
    raise FileNotFoundError(f"no {name}: install RabbitMQ 3.10 or newer, `make test` does so where it may")
