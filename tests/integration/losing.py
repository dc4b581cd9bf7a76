"""Two troubles in which something is lost for good: a raw webhook, and how a call ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from gevent.pywsgi import WSGIServer
from prometheus_client import REGISTRY

from demo.stack.ports import HOST
from relay.actors.archiver import ArchiverActor
from relay.actors.journal import JournalActor
from relay.core.mailbox import Attempt
from relay.core.queues import WEBHOOK_ARCHIVE
from relay.runtime.commands import Outcome
from relay.runtime.timers import Timers
from relay.runtime.unwritten import Unwritten
from relay.stores.objects import ObjectStore
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE, wait_until

if TYPE_CHECKING:
    from tests.integration.alarming import House


@contextmanager
def archive_loses(house: House) -> Iterator[None]:
    """The object store, or a proxy before it, says that it never takes such a file."""

    def too_large(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("413 Too Large", [("Content-Type", "text/html")])
        return [b"too large"]

    server, timers = WSGIServer((HOST, 0), too_large, log=None), Timers()
    server.start()
    timers.start(lambda error: None)
    at = f"{HOST}:{server.server_port}"
    parts: Any = SimpleNamespace(
        consumer=house.consumer, objects=ObjectStore(at, "key", "secret", False, f"http://{at}"), timers=timers,
        tombstones=SimpleNamespace(refresh=lambda: None),
    )  # fmt: skip
    before = REGISTRY.get_sample_value("relay_archive_losses_total")
    house.publish(WEBHOOK_ARCHIVE, 1)
    actor = ArchiverActor.start(parts)
    wait_until(lambda: REGISTRY.get_sample_value("relay_archive_losses_total") != before, PATIENCE, "the loss")
    yield
    actor.stop()
    timers.stop()
    server.stop()


@contextmanager
def journal_loses(house: House) -> Iterator[None]:
    """An outcome that names no line: nothing can be left out of it that would make it one."""
    parts: Any = SimpleNamespace(pool=house.pool, unwritten=Unwritten(), shards={}, journal_behind=False)
    actor, conversation = JournalActor.start(parts), Listener.start([])
    before = REGISTRY.get_sample_value("relay_journal_losses_total")
    attempt = Attempt(str(uuid4()), "no line", 1, "sent", datetime.now(UTC).timestamp())
    actor.tell(Outcome(conversation, str(uuid4()), attempt.message_id, attempt.line_id, attempt))
    wait_until(lambda: REGISTRY.get_sample_value("relay_journal_losses_total") != before, PATIENCE, "the loss")
    yield
    actor.stop()
    conversation.stop()
