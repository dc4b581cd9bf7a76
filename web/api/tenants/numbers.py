"""Unknown numbers and integrations: what came for them is kept, and replayed once a line owns them."""

from __future__ import annotations

from flask import Response

from db.tenants import unknown_lines
from web.actions import replay as replaying
from web.api.blueprint import ERRORS, behind_a_key
from web.api.tenants.number_schemas import (
    Deleted,
    SignerQuery,
    UnknownChannelPath,
    UnknownList,
    UnknownOut,
    UnknownPath,
    UnknownReplayed,
)
from web.api.tenants.schemas import ErrorBody
from web.request.context import pool, reply
from web.request.principal import OPERATOR, needs

api = behind_a_key("numbers", __name__, "unknown numbers", "/api/unknown-numbers", errors=(*ERRORS, 403))


@api.get("", summary="Numbers and integrations that no line owns", responses={200: UnknownList})
@needs(OPERATOR, scope="messages:read")
def list_unknown() -> Response:
    found = unknown_lines.listed(pool())
    return reply(UnknownList(items=[UnknownOut.model_validate(one, from_attributes=True) for one in found]))


@api.post(
    "/<channel>/<line_ref>/replay",
    summary="Relay what came before the line was active",
    responses={200: UnknownReplayed, 409: ErrorBody},
)
@needs(OPERATOR, scope="messages:replay")
def replay(path: UnknownPath) -> Response:
    """Some hundred at a time. Only what one of the secrets in force for the line has signed."""
    done = replaying.unknown(path.channel, path.line_ref)
    return reply(UnknownReplayed(replayed=done.replayed, left=done.left, not_proved=done.not_proved))


@api.delete("/<channel>/<line_ref>", summary="Delete what waits for a number", responses={200: Deleted})
@needs(OPERATOR, scope="messages:replay")
def delete(path: UnknownPath, query: SignerQuery) -> Response:
    """All of it, or what one signer has sent; 2,000 at a time."""
    deleted, left = replaying.drop(path.channel, path.line_ref, query.signer)
    return reply(Deleted(deleted=deleted, left=left))


@api.delete("/<channel>", summary="Delete what names no number", responses={200: Deleted})
@needs(OPERATOR, scope="messages:replay")
def delete_nameless(path: UnknownChannelPath, query: SignerQuery) -> Response:
    """What could not be read, and news of accounts; 2,000 at a time."""
    deleted, left = replaying.drop(path.channel, "", query.signer)
    return reply(Deleted(deleted=deleted, left=left))
