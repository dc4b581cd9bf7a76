"""What Genesys tells of a conversation: who takes part, which messages there were, and what was in them."""

import time
from collections.abc import Iterable
from typing import Any

from flask import request

from sandbox.accounts import Integration
from sandbox.gateway import ProviderAnswer
from sandbox.genesys import ends, payloads
from sandbox.genesys.desk import AGENT, AGENTS, PREFERRED, DeskConversation, DeskMessage
from sandbox.genesys.errors import GenesysError
from sandbox.genesys.provider import caller, signed_in
from sandbox.ids import dashed
from sandbox.world_access import current

VIEW = "conversation:message:view"
DISCONNECT = "conversation:communication:disconnect"
MOST_IDS = 1_000
PURPOSES = {"inbound": "customer", "outbound": "agent"}


def one(conversation_id: str) -> ProviderAnswer:
    """Participants with the ids of their messages, without a text. No permission is documented for it."""
    integration, conversation = _known(conversation_id, signed_in().organisation)
    shown = _shown(conversation, conversation_id)
    return ProviderAnswer(
        {
            "id": conversation_id,
            "participants": [
                _participant(integration, conversation, conversation_id, direction, shown) for direction in PURPOSES
            ],
            "otherMediaUris": [],
            "selfUri": f"/api/v2/conversations/messages/{conversation_id}",
        }
    )


def end(conversation_id: str) -> ProviderAnswer:
    """`{"state": "disconnected"}`: all participants leave. Of one that is over nothing changes."""
    integration, conversation = _known(conversation_id, caller(DISCONNECT).organisation)
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict) or wanted.get("state") != "disconnected":
        raise GenesysError(400, "The state must be disconnected", code="bad.request")
    if conversation.conversation_id == conversation_id:
        ends.end(current(), integration, conversation, "SYSTEM")
    return ProviderAnswer({"id": conversation_id, "selfUri": f"/api/v2/conversations/messages/{conversation_id}"})


def bulk(conversation_id: str) -> ProviderAnswer:
    integration, conversation = _known(conversation_id, caller(VIEW).organisation)
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
        raise GenesysError(400, "The body must be an array of message ids")
    if not 0 < len(wanted) <= MOST_IDS:
        raise GenesysError(400, f"Between 1 and {MOST_IDS} message ids may be requested", code="invalid.value")
    ids = {_plain(each) for each in wanted}
    found = [each for each in _shown(conversation, conversation_id) if each.id in ids]
    return ProviderAnswer({"entities": [_data(integration, conversation, each) for each in found]})


def message(conversation_id: str, message_id: str) -> ProviderAnswer:
    integration, conversation = _known(conversation_id, caller(VIEW).organisation)
    for each in _shown(conversation, conversation_id):
        if each.id == _plain(message_id):
            return ProviderAnswer(_data(integration, conversation, each))
    raise GenesysError(404, f"No message found with id {message_id}")


def details(message_id: str) -> ProviderAnswer:
    """A message by its id alone: where the conversation is not known."""
    client, known = caller(VIEW), current().desk.message(_plain(message_id))
    if known is not None:
        integration, conversation = _known(known[0].conversation_id, client.organisation)
        return ProviderAnswer(_data(integration, conversation, known[0]))
    raise GenesysError(404, f"No message found with id {message_id}")


def user(user_id: str) -> ProviderAnswer:
    """One of the organisation's people. Which permission it takes is not documented."""
    signed_in()
    found = AGENTS.get(user_id)
    if found is None:
        raise GenesysError(404, f"No user found with id {user_id}")
    return ProviderAnswer({**found, "preferredName": PREFERRED.get(user_id, ""), "state": "active", "version": 1})


def _known(conversation_id: str, organisation: str) -> tuple[Integration, DeskConversation]:
    """Another organisation's conversation looks like one that does not exist."""
    world = current()
    conversation = world.desk.named(conversation_id)
    integration = world.accounts.integrations.get(conversation.integration_id) if conversation else None
    if conversation is None or integration is None:
        raise GenesysError(404, f"No conversation found with id {conversation_id}")
    if world.accounts.clients[integration.client_id].organisation != organisation:
        raise GenesysError(404, f"No conversation found with id {conversation_id}")
    return integration, conversation


def _shown(conversation: DeskConversation, conversation_id: str) -> list[DeskMessage]:
    """What the API knows of by now: it may lag behind what was taken."""
    until = time.time() - current().genesys_faults.history_lag_seconds
    return [each for each in conversation.messages if each.conversation_id == conversation_id and each.at <= until]


def _participant(
    integration: Integration,
    conversation: DeskConversation,
    conversation_id: str,
    direction: str,
    shown: Iterable[DeskMessage],
) -> dict[str, Any]:
    ours, theirs = {"addressRaw": integration.integration_id}, {"addressRaw": conversation.contact}
    customer = direction == "inbound"
    over = conversation.conversation_id != conversation_id or (not customer and conversation.agent_id is None)
    agent = AGENTS[conversation.agent_id or AGENT["id"]]
    return {
        "id": f"{conversation_id[:-4]}{'0001' if customer else '0002'}",
        "purpose": PURPOSES[direction],
        "name": conversation.nickname if customer else agent["name"],
        "state": "disconnected" if over else "connected",
        "direction": "inbound",
        "type": "open",
        "toAddress": ours,
        "fromAddress": theirs,
        "messages": [_listed(conversation_id, each) for each in shown if each.direction == direction],
        **({} if customer else {"user": agent}),
    }


def _listed(conversation_id: str, message: DeskMessage) -> dict[str, Any]:
    named = _named(message)
    return {
        "messageId": named,
        "messageURI": f"/api/v2/conversations/messages/{conversation_id}/messages/{named}",
        "messageStatus": payloads.data_status(message),
        "messageTime": message.received_at,
        "media": [],
    }


def _data(integration: Integration, conversation: DeskConversation, message: DeskMessage) -> dict[str, Any]:
    data = payloads.details(integration, conversation, message)
    if not current().genesys_faults.history_names_ours:
        data["providerMessageId"] = data["normalizedMessage"]["channel"]["messageId"] = message.id
    return data | {"id": _named(message)}


def _named(message: DeskMessage) -> str:
    """Genesys' own documents show these ids both with dashes and without."""
    return dashed(message.id) if current().genesys_faults.history_dashed_ids else message.id


def _plain(message_id: str) -> str:
    return message_id.replace("-", "")
