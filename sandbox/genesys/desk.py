"""The agents' desk: conversations by integration and customer address, and the messages in them."""

from collections import deque
from dataclasses import dataclass, field
from time import time as unix_time
from typing import Any

from sandbox.blobs import Blob
from sandbox.bounded import BoundedDict
from sandbox.clock import iso_milliseconds
from sandbox.genesys.answers import options
from sandbox.ids import conversation_id
from sandbox.webhooks.update import DeliveryState

AGENT = {"id": "33333333-cccc-4000-8000-000000000001", "name": "Ana Sandbox"}
SECOND_AGENT = {"id": "33333333-cccc-4000-8000-000000000002", "name": "Ben Sandbox"}
AGENTS = {one["id"]: one for one in (AGENT, SECOND_AGENT)}
PREFERRED = {AGENT["id"]: "Annie"}
"""What they want to be called."""
KEPT = 5_000
BODIES = 2_000
TYPING_KEPT = 20
PREVIEW = 2_000


@dataclass(slots=True)
class DeskAttachment:
    """A file in a message. Inbound ones are fetched from the relay, outbound ones are offered to it."""

    media_type: str
    mime: str
    url: str
    filename: str | None = None
    declared_sha256: str | None = None
    text: str | None = None
    state: str = "waiting"
    http_status: int | None = None
    error: str | None = None
    blob: Blob | None = None

    def view(self) -> dict[str, Any]:
        return {
            "media_type": self.media_type,
            "mime": self.mime,
            "url": self.url,
            "filename": self.filename,
            "declared_sha256": self.declared_sha256,
            "text": self.text,
            "fetch": {"state": self.state, "http_status": self.http_status, "error": self.error},
            "size": self.blob.size if self.blob else None,
            "sha256": self.blob.sha256 if self.blob else None,
            "copy": self.blob.path(self.mime, self.filename) if self.blob else None,
            "preview": self._preview(),
        }

    def _preview(self) -> str | None:
        """The beginning of a text, such as a vCard: the page shows who is in it."""
        if self.blob is None or not self.mime.startswith("text/"):
            return None
        return self.blob.data[:PREVIEW].decode(errors="replace")


@dataclass(slots=True)
class TypingSeen:
    """Somebody typed. No message, and in no conversation's list of them."""

    direction: str
    time: str
    track: DeliveryState | None = None

    def view(self) -> dict[str, Any]:
        return {
            "direction": self.direction,
            "time": self.time,
            "webhook": self.track.view() if self.track else None,
        }


@dataclass(slots=True)
class DeskMessage:
    id: str
    direction: str
    type: str
    conversation_id: str
    time: str
    text: str | None = None
    channel_message_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    custom_attributes: dict[str, str] = field(default_factory=dict)
    content: list[dict[str, Any]] = field(default_factory=list)
    attachment: DeskAttachment | None = None
    button_response: dict[str, Any] | None = None
    receipts: list[dict[str, Any]] = field(default_factory=list)
    status: str | None = None
    by: str | None = None
    """Who wrote it, of what leaves the desk: Human or Bot."""
    track: DeliveryState | None = None
    received_at: str = field(default_factory=iso_milliseconds)
    at: float = field(default_factory=unix_time)

    def view(self) -> dict[str, Any]:
        view: dict[str, Any] = {
            "id": self.id,
            "direction": self.direction,
            "type": self.type,
            "text": self.text,
            "time": self.time,
            "conversation_id": self.conversation_id,
            "received_at": self.received_at,
            "metadata": self.metadata,
            "attachment": self.attachment.view() if self.attachment else None,
            "content": self.content,
        }
        if self.direction == "inbound":
            return view | {
                "channel_message_id": self.channel_message_id,
                "custom_attributes": self.custom_attributes,
                "button_response": self.button_response,
            }
        return view | {
            "options": options(self.content),
            "status": self.status,
            "receipts": self.receipts,
            "webhook": self.track.view() if self.track else None,
        }


class DeskConversation:
    """One customer address on one integration. It outlives the conversation ids that Genesys gives it over time."""

    def __init__(self, integration_id: str, contact: str, id_type: str = "Opaque") -> None:
        self.integration_id, self.contact, self.id_type = integration_id, contact, id_type
        self.conversation_id = conversation_id()
        self.nickname = ""
        self.agent_id: str | None = AGENT["id"]
        """Who talks to the customer; None: nobody, at the moment."""
        self.custom_attributes: dict[str, str] = {}
        self.messages: deque[DeskMessage] = deque(maxlen=KEPT)
        self.typing: deque[TypingSeen] = deque(maxlen=TYPING_KEPT)

    def view(self, limit: int | None = None) -> dict[str, Any]:
        messages = list(self.messages)[-limit:] if limit else list(self.messages)
        return {
            "contact": self.contact,
            "integration_id": self.integration_id,
            "id_type": self.id_type,
            "conversation_id": self.conversation_id,
            "nickname": self.nickname,
            "custom_attributes": self.custom_attributes,
            "typing": [each.view() for each in self.typing],
            "messages": [each.view() for each in messages],
        }

    @property
    def last_time(self) -> str:
        return self.messages[-1].received_at if self.messages else ""

    def summary(self) -> dict[str, Any]:
        last = self.messages[-1] if self.messages else None
        return {
            "contact": self.contact,
            "integration_id": self.integration_id,
            "nickname": self.nickname,
            "conversation_id": self.conversation_id,
            "messages": len(self.messages),
            "last": (last.text or last.type) if last else None,
            "time": last.received_at if last else None,
        }


class Desk:
    def __init__(self) -> None:
        self._conversations: BoundedDict[tuple[str, str], DeskConversation] = BoundedDict(100_000)
        self._by_contact: BoundedDict[str, str] = BoundedDict(100_000)
        self._named: BoundedDict[str, DeskConversation] = BoundedDict(200_000)
        self._messages: BoundedDict[str, tuple[DeskMessage, DeskConversation]] = BoundedDict(300_000)
        self._seen: BoundedDict[tuple[str, str], None] = BoundedDict(300_000)
        self.downloads: BoundedDict[str, DeskAttachment] = BoundedDict(100_000)
        self.bodies: deque[tuple[str, dict[str, Any]]] = deque(maxlen=BODIES)
        """The newest that were taken: which call's, and as they came."""

    def conversation(self, integration_id: str, contact: str, id_type: str = "Opaque") -> DeskConversation:
        found = self.known(integration_id, contact)
        if found is None:
            found = self._conversations[(integration_id, contact)] = DeskConversation(integration_id, contact, id_type)
            self._by_contact.setdefault(contact, integration_id)
        return found

    def known(self, integration_id: str, contact: str) -> DeskConversation | None:
        return self._conversations.get((integration_id, contact))

    def integration_of(self, contact: str) -> str | None:
        return self._by_contact.get(contact)

    def add(self, conversation: DeskConversation, message: DeskMessage) -> None:
        conversation.messages.append(message)
        self._named[message.conversation_id] = conversation
        self._messages[message.id] = (message, conversation)

    def named(self, conversation_id: str) -> DeskConversation | None:
        """By one of the ids that Genesys gave it, once a message was in it."""
        return self._named.get(conversation_id)

    def message(self, message_id: str) -> tuple[DeskMessage, DeskConversation] | None:
        return self._messages.get(message_id)

    def repeated(self, integration_id: str, channel_message_id: str | None) -> bool:
        """Whether this provider message was posted before. Genesys is not known to drop the second."""
        if channel_message_id is None:
            return False
        key = (integration_id, channel_message_id)
        if key in self._seen:
            return True
        self._seen[key] = None
        return False

    def conversations(self) -> list[DeskConversation]:
        return list(self._conversations.values())
