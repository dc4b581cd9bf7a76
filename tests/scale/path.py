"""Messages on their way, as intake and journal write them: group by group, through the functions that they call."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal
from uuid import uuid4

from db.contacts import conversations
from db.contacts.seen import SeenPerson
from db.daemons import shards
from db.mailbox import claims, messages, part_reports, receipts, references, sweep, unfinished
from db.mailbox.receipts import LineReceipt
from db.pool import Pool
from relay.core.mailbox import Attempt, Claim, NewRow, Row
from relay.core.messages import Direction, Message, Person, Receipt, Report
from relay.core.ordering import SortKey
from relay.core.prices import Price

SHARDS = 16
DAEMON = str(uuid4())


@dataclass
class Path:
    """Of one line and direction; `rows` is the last group. Each step is a transaction of its own."""

    pool: Pool
    tenant_id: str
    line_id: str
    direction: Direction
    rows: list[Row] = field(default_factory=list)
    sent: list[Attempt] = field(default_factory=list)

    def arrive(self, size: int) -> None:
        """From contacts of whom every second one is new, each quoting something."""
        now, by = time.time(), "whatsapp" if self.direction == "inbound" else "genesys"
        people = [Person(f"49160{n:08d}", f"49160{n:08d}", name="Anna") for n in range(0, size * 2, 2)]
        seen = [
            SeenPerson(self.tenant_id, self.line_id, one, now, by, now, now + 60, uuid4().hex)  # type: ignore[arg-type]
            for one in people
        ]
        with self.pool.transaction() as cursor:
            shards.renew(cursor, DAEMON, "path", 60)
            shards.take(cursor, DAEMON, SHARDS)
            self.epochs = shards.owned(cursor, DAEMON)
            mappings = conversations.resolve(cursor, seen, SHARDS)
            ids = [one.conversation_id for one in mappings]
            conversations.see_genesys_conversations(cursor, [(one, f"at-genesys-{one}") for one in ids])
            references.quoted(cursor, [(self.line_id, "wamid.quoted")])
            references.last_shown(cursor, ids)
            references.offering(cursor, [(self.line_id, one.id) for one in self.rows])
            new = [
                Row(
                    messages.new_id(), self.tenant_id, self.line_id, mapping.conversation_id, mapping.shard,
                    self.direction, SortKey(now, now, place), Message(uuid4().hex, person, now, text="Hello"),
                )
                for place, (person, mapping) in enumerate(zip(people, mappings, strict=True))
            ]  # fmt: skip
            self.rows = messages.insert(cursor, [NewRow(one, {"text": "Hello"}) for one in new]).fresh
            messages.insert(cursor, [NewRow(one, {}) for one in new])
            unfinished.others(cursor, ids, [one.id for one in self.rows])

    def claim(self) -> None:
        wanted = [Claim(one.id, one.shard, self.epochs[one.shard], 1) for one in self.rows]
        with self.pool.autocommit() as cursor:
            assert claims.claim(cursor, DAEMON, wanted, 10.0) == {one.id for one in self.rows}

    def settle(self) -> None:
        """All of them are sent, and the answers tell of the contacts."""
        now = time.time()
        self.sent = [Attempt(one.id, self.line_id, 1, "sent", now, uuid4().hex, 200) for one in self.rows]
        with self.pool.transaction() as cursor:
            known = [(one.conversation_id, f"at-genesys-{one.conversation_id}") for one in self.rows]
            conversations.lock(cursor, [one for one, _ in conversations.news_of_genesys(cursor, known)])
            claims.lock(cursor, [one.id for one in self.rows])
            claims.record_attempts(cursor, self.sent)
            claims.record_sent(cursor, self.sent)
            receipts.unpark(cursor, [(one.line_id, one.provider_id or "") for one in self.sent])
            assert {one.state for one in claims.row_statuses(cursor, [one.id for one in self.rows])} == {"sent"}

    def told(self, status: Literal["sent", "delivered", "read"]) -> None:
        """The provider's statuses, by our ids and by its own."""
        now = time.time()
        price = Price("service", "regular", country="DE") if status == "delivered" else None
        told = [
            Receipt(one.provider_id or "", status, now, one.message_id, aliases=("DE.1",), price=price)
            for one in self.sent
        ]
        with self.pool.transaction() as cursor:
            receipts.record(cursor, [LineReceipt(self.line_id, one) for one in told])
            receipts.record(cursor, [LineReceipt(self.line_id, Receipt(uuid4().hex, status, now))])

    def report(self) -> None:
        for one in self.rows[:3]:
            assert part_reports.may_tell(self.pool, Report(one.id, one.message.source_id, "delivered", time.time()))
        with self.pool.transaction() as cursor:
            claims.record_reports(cursor, [(one.id, "delivered", None) for one in self.rows])

    def wake(self) -> None:
        """As a conversation reads what it has to do."""
        with self.pool.autocommit() as cursor:
            sweep.page(cursor, range(SHARDS))
        ids = sorted({one.conversation_id for one in self.rows[:3]})
        assert all(one.mapping is not None for one in unfinished.read(self.pool, ids, 64).values())
