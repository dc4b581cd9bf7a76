"""A sender's word to the journal, with a journal that only listens."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from relay.actors.sender import SenderActor
from relay.channels.base import Account, Request, Sent
from relay.core.conversation.lane import Entry
from relay.core.messages import Message, Person, Recipient
from relay.core.ordering import SortKey
from relay.runtime.actor import Ping
from relay.runtime.commands import Claimed, Outcome, Send
from relay.runtime.side import Side
from tests.unit.actors.listening import Listener
from tests.waiting import PATIENCE


def outcome(sent: Sent, to: Recipient) -> Outcome:
    """What the journal hears of a message that the provider took."""
    heard: list[Any] = []
    listener = Listener.start(heard)
    channel: Any = SimpleNamespace(render=lambda *_: Request("POST", "/", {}), send=lambda *_, **__: sent)
    parts: Any = SimpleNamespace(journal=listener, call=nullcontext, limits=SimpleNamespace(request=10.0))
    sender = SenderActor.start(parts, Side("whatsapp", channel, Account("t", "l", "1", {})), listener)
    entry = Entry("m", SortKey(0.0, 0.0, 0), Message("s", Person("x"), 0.0, text="hello"))
    sender.tell(Send(entry, "outbound", listener, "c", to, 0, 1))
    sender.tell(Claimed("m", True, 0.0))
    for ref in (sender, listener):
        ref.ask(Ping(), timeout=PATIENCE)
        ref.stop()
    return next(one for one in heard if isinstance(one, Outcome))


@pytest.mark.parametrize(
    ("to", "news"),
    [
        (Recipient("49151", wa_id="49151", bsuid="DE.1"), ()),
        (Recipient("49151", wa_id="49151"), ("DE.1",)),
        (Recipient("49151"), ("49151", "DE.1")),
    ],
)
def test_only_names_that_are_new_are_written_down(to: Recipient, news: tuple[str, ...]) -> None:
    assert outcome(Sent("wamid.1", 200, aliases=("49151", "DE.1")), to).aliases == news
