"""Conversations and persons as files."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from web.actions import exports
from web.actions.exports import FileForm
from web.api.blueprint import behind_a_key
from web.api.messages.conversations import known_conversation
from web.api.tenants.schemas import ConversationPath, RequestModel
from web.request.principal import needs

TRANSCRIPT = {
    "description": "csv: a heading, then one line per message, times in UTC; jsonl: one message a line",
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    },
}
ARCHIVE = {
    "description": "a ZIP archive: person.json, and for each conversation its messages and files",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}

api = behind_a_key("exports", __name__, "conversations", "/api/conversations")


class TranscriptQuery(RequestModel):
    format: FileForm = Field("csv", description="csv opens in spreadsheets, jsonl is for programs")


@api.get("/<uuid:conversation_id>/export", summary="All of a conversation as a file", responses={200: TRANSCRIPT})
@needs("messages:read", per_line=True)
def export_conversation(path: ConversationPath, query: TranscriptQuery) -> Response:
    """From the first message to the last. In csv, a text that a spreadsheet would take for a formula begins with an
    apostrophe."""
    return exports.conversation_file(known_conversation(path).conversation, query.format)


@api.get("/<uuid:conversation_id>/person", summary="All that is kept of a person", responses={200: ARCHIVE})
@needs("messages:read", per_line=True)
def export_person(path: ConversationPath) -> Response:
    """Of whom this conversation is with, in all conversations of the tenant, with every file of which there is a
    copy. For a person who asks what is kept of them."""
    return exports.person_archive(known_conversation(path).conversation)
