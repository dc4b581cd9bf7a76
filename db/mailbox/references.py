"""The messages that others are about: what was quoted, where a tapped answer stood, the last menu; their edits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.cursor import Cursor
from db.prepared import Prepared
from relay.core.messages import Direction, Message, load

NEWEST = 20
"""So far back in a conversation is the menu looked for that a number answers."""
COLUMNS = "m.id, m.conversation_id, m.direction, m.origin, m.content"


@dataclass(frozen=True, slots=True)
class ReferredMessage:
    """A message of ours. `offered_by`: its id at the agents' provider, where one of them wrote it."""

    id: str
    conversation_id: str
    direction: Direction
    offered_by: str | None
    message: Message = field(repr=False)


QUOTED = Prepared(
    "quoted_messages",
    f"""SELECT v.line_id::text, v.provider_id, {COLUMNS}
        FROM unnest(%(lines)s, %(provider_ids)s) v (line_id, provider_id)
        JOIN message_tracking m ON m.line_id = v.line_id AND m.direction = 'inbound' AND m.source_id = v.provider_id
         AND m.state <> 'ignored' -- of those the words are not kept, nor who wrote them
        UNION ALL
        SELECT v.line_id::text, v.provider_id, {COLUMNS}
        FROM unnest(%(lines)s, %(provider_ids)s) v (line_id, provider_id)
        JOIN message_attempts a ON a.line_id = v.line_id AND a.provider_id = v.provider_id
        JOIN message_tracking m ON m.id = a.message_id AND m.direction = 'outbound'""",
    lines="uuid[]", provider_ids="text[]",
)  # fmt: skip

OFFERING = Prepared(
    "offering_messages",
    f"""SELECT v.line_id::text, v.id::text, {COLUMNS} FROM unnest(%(lines)s, %(ids)s) v (line_id, id)
        JOIN message_tracking m ON m.id = v.id AND m.line_id = v.line_id AND m.direction = 'outbound'""",
    lines="uuid[]", ids="uuid[]",
)  # fmt: skip

LAST_SHOWN = Prepared(
    "last_shown_messages",
    f"""SELECT {COLUMNS} FROM unnest(%(conversations)s) v (id) CROSS JOIN LATERAL (
          SELECT * FROM (SELECT * FROM message_tracking n WHERE n.conversation_id = v.id
                         ORDER BY n.sort_time DESC, n.arrived_at DESC, n.idx DESC, n.seq DESC LIMIT {NEWEST}) newest
          WHERE direction = 'outbound' AND state IN ('sent', 'delivered', 'read')
          ORDER BY sort_time DESC, arrived_at DESC, idx DESC, seq DESC LIMIT 1) m""",
    conversations="uuid[]",
)


EDITED = Prepared(
    "edited_messages",
    """SELECT m.id::text, v.words
       FROM unnest(%(lines)s, %(conversations)s, %(source_ids)s, %(words)s)
            AS v (line_id, conversation_id, source_id, words)
       JOIN message_tracking m ON m.line_id = v.line_id AND m.direction = 'inbound' AND m.source_id = v.source_id
        AND m.conversation_id = v.conversation_id -- an app may name any id it likes""",
    lines="uuid[]", conversations="uuid[]", source_ids="text[]", words="text[]",
)  # fmt: skip

KEEP_EDITS = Prepared(
    "keep_edits",
    """UPDATE message_tracking m SET content = jsonb_set(m.content, '{edited}', to_jsonb(v.words))
       FROM unnest(%(ids)s, %(words)s) AS v (id, words) WHERE m.id = v.id""",
    ids="uuid[]", words="text[]",
)  # fmt: skip


def edited(cursor: Cursor, edits: Mapping[tuple[str, str, str], str]) -> dict[str, str]:
    """Whose words these are, by our id. Given by line id, conversation id and WhatsApp's id."""
    if not edits:
        return {}
    lines, conversations, source_ids = zip(*edits, strict=True)
    EDITED.run(cursor, lines=lines, conversations=conversations, source_ids=source_ids, words=list(edits.values()))
    return {row[0]: row[1] for row in cursor.fetchall()}


def keep_edits(cursor: Cursor, edits: Mapping[str, str]) -> None:
    """What messages were edited to, by our id. The caller has locked these."""
    if edits:
        KEEP_EDITS.run(cursor, ids=list(edits), words=list(edits.values()))


def quoted(cursor: Cursor, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ReferredMessage]:
    """By (line id, WhatsApp's id): the customer's own messages, and those that WhatsApp took from us."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}
    QUOTED.run(cursor, lines=[one for one, _ in pairs], provider_ids=[one for _, one in pairs])
    return {(row[0], row[1]): _known(row[2:]) for row in cursor.fetchall()}


def offering(cursor: Cursor, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ReferredMessage]:
    """By (line id, our id): the messages whose answers were tapped."""
    pairs = sorted(set(wanted))
    if not pairs:
        return {}
    OFFERING.run(cursor, lines=[one for one, _ in pairs], ids=[one for _, one in pairs])
    return {(row[0], row[1]): _known(row[2:]) for row in cursor.fetchall()}


def last_shown(cursor: Cursor, conversation_ids: Iterable[str]) -> dict[str, ReferredMessage]:
    """By conversation: the newest message that went to the phone, if it is among the last few."""
    ids = sorted(set(conversation_ids))
    if not ids:
        return {}
    LAST_SHOWN.run(cursor, conversations=ids)
    return {one.conversation_id: one for one in map(_known, cursor.fetchall())}


def _known(row: Sequence[Any]) -> ReferredMessage:
    message = load(Message, row[4])
    offered_by = message.report_id if row[2] == "outbound" and row[3] != "api" else None
    return ReferredMessage(str(row[0]), str(row[1]), row[2], offered_by, message)
