"""An embedded PostgreSQL from the wheel that carries the server, run as a plain child process."""

import os
import secrets
import signal
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg2

from demo.stack.child import Child, acting_as
from demo.stack.ports import HOST, free_port
from demo.stack.postgres_home import PostgresHome
from demo.stack.waiting import wait_until

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

    def __init__(self, home: PostgresHome, logs: Path, durable: bool = False) -> None:
        self.port = free_port()
        self._password = secrets.token_hex(16)
        self._home = home
        options = OPTIONS | ({} if durable else THROWAWAY) | {"port": str(self.port)}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(
            "postgres",
            [home.program("postgres"), "-D", str(home.data), *settings],
            logs / "postgres.log",
            cwd=Path("/"),
            stop_signal=signal.SIGINT,  # PostgreSQL's fast stop: it does not wait for clients
            user=home.user,
        )

    def start(self) -> None:
        if not self._home.data.exists():
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
        self._home.data.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=self._home.data.parent, prefix="password-") as file:
            file.write(self._password)
            file.flush()
            if self._home.user:
                os.fchown(file.fileno(), self._home.user.pw_uid, self._home.user.pw_gid)
            self._initdb("--auth=scram-sha-256", f"--pwfile={file.name}", "--encoding=UTF8", "--locale=C")

    def _initdb(self, *options: str) -> None:
        result = subprocess.run(
            [self._home.program("initdb"), "-D", str(self._home.data), "-U", USER, "--no-sync", *options],
            capture_output=True,
            text=True,
            cwd="/",
            **acting_as(self._home.user),
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
