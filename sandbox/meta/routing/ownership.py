"""Who owns one thread. Nobody does after a day without a word of the user."""

from typing import Any

from sandbox.clock import unix_seconds
from sandbox.meta.routing.settings import Responder, Role

IDLE_SECONDS = 24 * 3600


class ThreadOwner:
    def __init__(self) -> None:
        self._responder: Responder | None = None
        self._role: Role | None = None
        self._heard = 0

    @property
    def owner(self) -> Responder | None:
        return self._responder if unix_seconds() - self._heard < IDLE_SECONDS else None

    @property
    def role(self) -> Role | None:
        return self._role if self.owner else None

    def give(self, responder: Responder, role: Role) -> None:
        """The user's silence goes on counting, unless there was no owner."""
        if self.owner is None:
            self._heard = unix_seconds()
        self._responder, self._role = responder, role

    def heard(self, timestamp: int) -> None:
        self._heard = max(self._heard, timestamp)

    def release(self) -> None:
        self._responder = self._role = None

    def silent(self, hours: float) -> None:
        """As if the user had been silent so much longer."""
        self._heard -= int(hours * 3600)

    def view(self) -> dict[str, Any]:
        idle_in = max(0, self._heard + IDLE_SECONDS - unix_seconds()) if self.owner else None
        return {"owner": self.owner, "role": self.role, "idle_in_seconds": idle_in}
