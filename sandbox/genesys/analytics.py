"""The list of conversations of the last days, as Genesys' analytics tell it: by whom, when, over which address."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from sandbox.clock import iso_milliseconds
from sandbox.gateway import ProviderAnswer
from sandbox.genesys.desk import DeskConversation
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.models import GenesysModel
from sandbox.genesys.provider import caller
from sandbox.genesys.validation import parse_plain
from sandbox.world_access import current

VIEW = "analytics:conversationDetail:view"
LONGEST_DAYS = 31
VALUES = {"mediaType": "message", "messageType": "open"}
"""What all conversations here have."""


class Predicate(GenesysModel):
    dimension: Literal["mediaType", "messageType", "addressTo", "addressFrom"]
    value: str


class Filter(GenesysModel):
    type: Literal["and", "or"]
    predicates: list[Predicate]


class Paging(GenesysModel):
    pageSize: Annotated[int, Field(ge=1, le=100)]  # noqa: N815 - the provider's name
    pageNumber: Annotated[int, Field(ge=1)]  # noqa: N815 - the provider's name


class DetailsQuery(GenesysModel):
    interval: str
    order: Literal["asc", "desc"] = "asc"
    orderBy: Literal["conversationStart", "conversationEnd"] = "conversationStart"  # noqa: N815 - the provider's name
    segmentFilters: list[Filter] = Field(default_factory=list)  # noqa: N815 - the provider's name
    paging: Paging


def details() -> ProviderAnswer:
    """Conversations that began on a day that the interval touches."""
    client, world = caller(VIEW), current()
    query = parse_plain(DetailsQuery)
    begin, end = _days(query.interval)
    known, until = world.accounts, time.time() - world.genesys_faults.history_lag_seconds
    found = []
    for each in world.desk.conversations():
        integration = known.integrations.get(each.integration_id)
        if integration is not None and known.clients[integration.client_id].organisation == client.organisation:
            found += [one for one in _told(each, until) if begin <= one["conversationStart"] < end]
    found = [one for one in found if all(_fits(one, each) for each in query.segmentFilters)]
    found.sort(key=lambda one: one["conversationStart"], reverse=query.order == "desc")
    first = (query.paging.pageNumber - 1) * query.paging.pageSize
    page = found[first : first + query.paging.pageSize]
    return ProviderAnswer({"totalHits": len(found), **({"conversations": page} if page else {})})


def _days(interval: str) -> tuple[str, str]:
    """The first moment of its first day, and of the day after its last one."""
    try:
        begin, end = (datetime.fromisoformat(one).astimezone(UTC) for one in interval.split("/"))
    except ValueError:
        raise GenesysError(400, f"Invalid interval: {interval}", code="bad.request") from None
    if not timedelta(0) < end - begin <= timedelta(days=LONGEST_DAYS):
        raise GenesysError(400, f"The interval may span {LONGEST_DAYS} days at most", code="bad.request")
    return begin.date().isoformat(), (end.date() + timedelta(days=1)).isoformat()


def _told(conversation: DeskConversation, until: float) -> list[dict[str, Any]]:
    began: dict[str, float] = {}
    for message in conversation.messages:
        if message.at <= until:
            began.setdefault(message.conversation_id, message.at)
    return [_conversation(conversation, each, at) for each, at in began.items()]


def _conversation(conversation: DeskConversation, conversation_id: str, began: float) -> dict[str, Any]:
    session = {**VALUES, "addressTo": conversation.integration_id, "addressFrom": conversation.contact}
    over = conversation.conversation_id != conversation_id
    customer = {"participantId": f"{conversation_id[:-4]}0001", "purpose": "customer", "sessions": [session]}
    return {
        "conversationId": conversation_id,
        "conversationStart": iso_milliseconds(began),
        **({"conversationEnd": iso_milliseconds()} if over else {}),
        "participants": [customer],
    }


def _fits(conversation: dict[str, Any], wanted: Filter) -> bool:
    session = conversation["participants"][0]["sessions"][0]
    hits = [session[each.dimension] == each.value for each in wanted.predicates]
    return all(hits) if wanted.type == "and" else any(hits)
