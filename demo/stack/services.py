"""Several services as one: started together, stopped in reverse, a partial start undone."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from demo.stack.objects import S3Server
from demo.stack.postgres import Postgres
from demo.stack.postgres_home import postgres_home
from demo.stack.redis import Redis


class EmbeddedServer(Protocol):
    """What demo, smoke and tests need to know of a server."""

    def start(self) -> None: ...
    def wait_ready(self) -> None: ...
    def stop(self) -> None: ...
    def env(self) -> dict[str, str]: ...


S = TypeVar("S", bound=EmbeddedServer)


@contextmanager
def running(service: S) -> Iterator[S]:
    """The service, ready; stopped at the end, also when it never became ready."""
    try:
        service.start()
        service.wait_ready()
        yield service
    finally:
        service.stop()


@contextmanager
def embedded_services(directory: Path, logs: Path) -> Iterator[dict[str, str]]:
    """PostgreSQL, Redis and the object store of demo and smoke; yields the settings that name them."""
    with ExitStack() as started:
        home = started.enter_context(postgres_home(directory))
        services: list[EmbeddedServer] = [Postgres(home, logs), Redis(directory, logs), S3Server(directory, logs)]
        for service in services:
            started.enter_context(running(service))
        yield {name: value for service in services for name, value in service.env().items()}
