"""Stands for whoever an actor tells something: a conversation, a tenant, the journal."""

from __future__ import annotations

from typing import Any

from relay.runtime.actor import RelayActor


class Listener(RelayActor):
    """Keeps what it is told in the list."""

    def __init__(self, heard: list[Any]) -> None:
        super().__init__()
        self._heard = heard

    def handle(self, command: Any) -> None:
        self._heard.append(command)
