"""Whether a message whose answer was lost is at Genesys: asked of the stand-in, with what the relay wrote of others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from db.pool import Pool
from relay.actors.lost_answers import found_there
from relay.channels.base import Sent
from relay.core.conversation.dispatch import DispatchJob
from relay.core.messages import Message, Person
from relay.runtime.side import Side
from relay.stores.limits import TokenBucket
from tests.contract.relay_side import PHONE, TO, Relay, relay, soon  # noqa: F401 - a fixture
from tests.integration.rows import new_line, sent_message

PER_MINUTE = 3.0
TEXT = "Hello?"


@dataclass
class Desk:
    """A line at the stand-in, what is written of it, and its rate."""

    relay: Relay
    parts: Any
    side: Side
    bucket: TokenBucket

    def hands_over(self, message: Message) -> Sent:
        """Genesys takes it."""
        channel, account = self.side.channel, self.side.account
        return channel.send(channel.render(message, "id", TO, account, None), account, soon())

    def looks_for(self, message: Message, conversation: str | None) -> Sent | None:
        job = DispatchJob("m", "c", "inbound", message, TO, 2, time.time(), 0, 1, may_be_in=conversation)
        return found_there(self.parts, self.side, job, soon())

    def held(self) -> float:
        left = self.bucket.peek(self.rate_key, PER_MINUTE / 60, PER_MINUTE)
        assert left is not None
        return left

    @property
    def rate_key(self) -> str:
        account = self.side.account
        return f"genesys:{account.tenant_id}:{account.credentials['client_id']}"


@pytest.fixture
def desk(relay: Relay, pool: Pool, redis_url: str) -> Iterator[Desk]:  # noqa: F811
    bucket = TokenBucket(redis_url)
    limits = SimpleNamespace(genesys_per_minute=PER_MINUTE, whatsapp_per_second=80.0)
    parts = SimpleNamespace(pool=pool, bucket=bucket, limits=limits)
    account = replace(relay.integration, tenant_id=uuid4().hex, line_id=new_line(pool))
    yield Desk(relay, parts, Side("genesys", relay.genesys, account), bucket)
    bucket.close()


def said(source_id: str, at: float, text: str = TEXT) -> Message:
    return Message(source_id, Person(PHONE, wa_id=PHONE), at, text=text)


@pytest.mark.parametrize("dashed", [False, True], ids=["plain ids", "dashed ids"])
@pytest.mark.parametrize("names_ours", [True, False], ids=["our id is told", "it is not"])
def test_a_message_that_genesys_never_took_is_not_found_in_its_twin(
    desk: Desk, pool: Pool, dashed: bool, names_ours: bool
) -> None:
    odd = {"history_dashed_ids": dashed, "answers_dashed_ids": dashed, "history_names_ours": names_ours}
    desk.relay.control("faults", genesys=odd)
    now = float(int(time.time()))
    taken = desk.hands_over(said("wamid.first", now))
    sent_message(pool, desk.side.account.line_id, "inbound", taken.provider_id)
    assert desk.looks_for(said("wamid.second", now), taken.genesys_conversation_id) is None
    lost = desk.hands_over(said("wamid.third", now))
    found = desk.looks_for(said("wamid.third", now), taken.genesys_conversation_id)
    assert found is not None and found.provider_id == lost.provider_id


def test_every_look_counts_against_the_rate(desk: Desk) -> None:
    now = time.time()
    taken = desk.hands_over(said("wamid.1", now))
    desk.bucket.take(desk.rate_key, PER_MINUTE / 60, PER_MINUTE, int(PER_MINUTE))
    before = desk.held()
    assert desk.looks_for(said("wamid.2", now), taken.genesys_conversation_id) is None
    passed = (time.time() - now) * PER_MINUTE / 60
    assert before - 2 <= desk.held() <= before - 2 + passed
    assert desk.bucket.take(desk.rate_key, PER_MINUTE / 60, PER_MINUTE).count == 0
    before = desk.held()
    assert desk.looks_for(said("wamid.1", now), taken.genesys_conversation_id) is not None
    passed = (time.time() - now) * PER_MINUTE / 60
    assert before - 1 <= desk.held() <= before - 1 + passed, "the permit of the call that is not made comes back"


def test_while_genesys_wants_no_calls_none_is_looked_for(desk: Desk) -> None:
    message = said("wamid.1", time.time())
    taken = desk.hands_over(message)
    assert desk.looks_for(message, taken.genesys_conversation_id) is not None
    desk.bucket.penalise(desk.rate_key, 60)
    before = desk.relay.control("stats")["genesys"]["calls"]
    assert desk.looks_for(message, taken.genesys_conversation_id) is None
    assert desk.relay.control("stats")["genesys"]["calls"] == before
