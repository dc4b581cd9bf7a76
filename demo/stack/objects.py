"""An embedded S3 server: `rclone serve s3` over a directory."""

import os
import secrets
import shutil
import signal
import sys
from pathlib import Path

from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from demo.stack.waiting import wait_until


class S3Server:
    """Answers the MinIO client, presigned links and their expiry included."""

    def __init__(self, directory: Path, logs: Path) -> None:
        self.port = free_port()
        self.access_key = "sandbox"
        self.secret_key = secrets.token_hex(16)
        self._directory = directory / "objects"
        # The key goes in by the environment: a command line can be read by everybody on the machine.
        env = os.environ | {"RCLONE_AUTH_KEY": f'"{self.access_key},{self.secret_key}"'}
        # Asked politely it waits for clients that keep their connections; an object that was answered is on disk.
        self.child = Child("objects", self._command(), logs / "objects.log", env, stop_signal=signal.SIGKILL)

    def start(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self.child.start()

    def wait_ready(self, deadline: float = 30) -> None:
        wait_until(self._answers, deadline, "the object store to answer")

    def stop(self) -> None:
        self.child.stop()

    def clear(self) -> None:
        """Remove all buckets with what is in them. It starts anew, because it remembers its directories for minutes."""
        self.stop()
        shutil.rmtree(self._directory)
        self.start()
        self.wait_ready()

    @property
    def endpoint(self) -> str:
        return f"{HOST}:{self.port}"

    def env(self) -> dict[str, str]:
        return {
            "MINIO_ENDPOINT": self.endpoint,
            "MINIO_PUBLIC_URL": f"http://{self.endpoint}",
            "MINIO_ACCESS_KEY": self.access_key,
            "MINIO_SECRET_KEY": self.secret_key,
            "MINIO_SECURE": "false",
        }

    def _answers(self) -> bool:
        self.child.check()
        return listens(self.port)

    def _command(self) -> list[str]:
        # An empty config path keeps rclone away from the configuration of whoever runs it.
        return [
            *(rclone(), "serve", "s3", str(self._directory)),
            *("--config", "", "--addr", self.endpoint),
        ]


def rclone() -> str:
    """The rclone of the wheel, which pip puts beside this Python, else the one on the PATH."""
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if not found:
        raise FileNotFoundError("no rclone: install the package with its extra `sandbox`")
    return found
