"""What the relay keeps of a conversation or a person, as a file. For API and portal, within a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

from flask import Response

from db.mailbox import ends
from db.pool import Pool
from db.views import persons, search, transcript
from db.views.search import ConversationSummary
from relay.core.explain.steps import Tracked
from relay.core.exports import archive, spreadsheet
from relay.core.exports.archive import Member
from relay.core.exports.transcript import HEAD, line
from relay.core.filenames import complete
from relay.stores.objects import ObjectMissingError, ObjectStore
from web.request import data_access
from web.request.context import pool, web_context

FileForm = Literal["csv", "jsonl"]
INNER = ("seq", "idx", "tenant_id")
"""Of a message, what says nothing to anybody outside."""
GONE = b"The relay keeps no copy of this file any more.\n"


def conversation_file(one: ConversationSummary, form: FileForm) -> Response:
    """All its messages, from the first to the last. Audited."""
    data_access.record(one.tenant_id, "conversation.exported", one.id, format=form)
    said = transcript.messages(pool(), one.tenant_id, one.id)
    lines = spreadsheet.table(HEAD, map(line, said)) if form == "csv" else map(_json_line, said)
    return _download(lines, "text/csv" if form == "csv" else "application/x-ndjson", f"conversation-{one.id}.{form}")


def person_archive(one: ConversationSummary) -> Response:
    """Whoever this conversation is with, in all conversations of the tenant: what is known, said and was sent. Audited.

    A ZIP archive: `person.json`, and per conversation `<id>/messages.jsonl`, `<id>/messages.csv` and `<id>/files/`.
    """
    data_access.record(one.tenant_id, "person.exported", one.id)
    members = _members(pool(), web_context().objects, one.tenant_id, one.id)
    return _download(archive.zipped(members), "application/zip", f"person-{one.id}.zip")


def _download(content: Iterable[str] | Iterable[bytes], mime_type: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(content, mimetype=mime_type, headers={"Content-Disposition": disposition})


def _members(pool: Pool, objects: ObjectStore, tenant_id: str, conversation_id: str) -> Iterator[Member]:
    """Read when the archive comes to them: at no time more than a slice of messages is in memory."""
    ids = persons.conversations(pool, tenant_id, conversation_id)
    yield "person.json", [_json({"exported_at": datetime.now(UTC), "conversations": _known(pool, tenant_id, ids)})]
    for one in ids:
        said = transcript.messages(pool, tenant_id, one)
        yield f"{one}/messages.jsonl", (_json_line(message).encode() for message in said)
        rows = map(line, transcript.messages(pool, tenant_id, one))
        yield f"{one}/messages.csv", (row.encode() for row in spreadsheet.table(HEAD, rows))
        for message in transcript.messages(pool, tenant_id, one):
            if message.media and message.media.kept:
                yield _file(objects, message)


def _known(pool: Pool, tenant_id: str, ids: Iterable[str]) -> list[dict[str, Any]]:
    found = (search.get(pool, tenant_id, one) for one in ids)
    return [
        asdict(one) | {"ends": [asdict(end) for end in ends.listed(pool, tenant_id, one.conversation.id)]}
        for one in found
        if one is not None
    ]


def _file(objects: ObjectStore, message: Tracked) -> Member:
    assert message.media is not None
    name = complete(message.media.filename or message.media.kind, message.media.mime_type)
    folder = f"{message.conversation_id}/files/{message.id}"
    return f"{folder}-{name}", _bytes(objects, str(message.media.bucket), str(message.media.object_key))


def _bytes(objects: ObjectStore, bucket: str, key: str) -> Iterator[bytes]:
    try:
        with objects.open(bucket, key) as chunks:
            yield from chunks
    except ObjectMissingError:
        yield GONE


def _json_line(message: Tracked) -> str:
    told = asdict(message)
    for name in INNER:
        del told[name]
    if message.media:
        told["media"] = {name: value for name, value in told["media"].items() if name not in ("bucket", "object_key")}
        told["media"]["kept"] = message.media.kept
    return json.dumps(told, ensure_ascii=False, default=_plain) + "\n"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_plain).encode() + b"\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an export")
