"""The notification channels that clients have made: which topics each hears, and what waits to be told on its socket.

Source: SDK models Channel, ChannelTopic; limits from Genesys' developer blog. Which permission these topics take is not
documented: one of the analytics kind is asked for.
"""

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from gevent.queue import Full, Queue

LIFE_SECONDS = 86_400
MOST_TOPICS = 1_000
MOST_CHANNELS = 20
MOST_WAITING = 1_000
PERMISSION = "analytics:conversationDetail:view"
_TOPIC = re.compile(
    r"v2\.detail\.events\.conversation\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(user|customer|acd)\.(start|end)"
)
CLOSE = ""
"""In a channel's queue: its socket is to be closed."""


@dataclass(slots=True)
class NotificationChannel:
    client_id: str
    id: str
    expires: float
    topics: set[str] = field(default_factory=set)
    queue: "Queue[str]" = field(default_factory=lambda: Queue(MOST_WAITING))
    """Of the socket that is connected; what is told while there is none is lost."""
    listening: bool = False

    def renew(self) -> None:
        self.expires = time.time() + LIFE_SECONDS

    def say(self, text: str) -> None:
        """Who takes nothing any more is told nothing more."""
        try:
            self.queue.put_nowait(text)
        except Full:
            self.listening = False


class NotificationChannels:
    """Of all clients, the oldest first."""

    def __init__(self) -> None:
        self._channels: dict[str, NotificationChannel] = {}

    def make(self, client_id: str) -> NotificationChannel:
        """One more than a client may have takes the place of its oldest."""
        mine = [one for one in self._channels.values() if one.client_id == client_id]
        for gone in mine[: max(0, len(mine) - MOST_CHANNELS + 1)]:
            self.remove(gone)
        made = NotificationChannel(client_id, f"streaming-0-{secrets.token_hex(13)}", time.time() + LIFE_SECONDS)
        self._channels[made.id] = made
        return made

    def get(self, channel_id: str) -> NotificationChannel | None:
        found = self._channels.get(channel_id)
        return found if found is not None and found.expires > time.time() else None

    def of(self, client_id: str) -> list[NotificationChannel]:
        return [one for one in self._channels.values() if one.client_id == client_id]

    def remove(self, channel: NotificationChannel) -> None:
        self._channels.pop(channel.id, None)
        channel.say(CLOSE)

    def tell(self, client_ids: set[str], topic: str, text: str) -> None:
        for channel in self._channels.values():
            if channel.client_id in client_ids and channel.listening and topic in channel.topics:
                channel.say(text)

    def clear(self) -> None:
        for channel in list(self._channels.values()):
            self.remove(channel)


def subscription(topic: str, permitted: bool) -> dict[str, Any]:
    """What Genesys answers about one topic. No id may be left open."""
    told: dict[str, Any] = {"id": topic, "selfUri": f"/api/v2/notifications/availabletopics/{topic}"}
    if not _TOPIC.fullmatch(topic):
        return told | {"state": "Rejected", "rejectionReason": "The topic does not exist"}
    if not permitted:
        reason = {"rejectionReason": "Missing permissions", "missingPermissions": [PERMISSION]}
        return told | {"state": "Rejected"} | reason
    return told | {"state": "Permitted"}
