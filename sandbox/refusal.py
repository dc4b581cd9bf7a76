"""A provider's no, as it is raised: the base of GraphError and GenesysError."""

from abc import abstractmethod
from typing import Any


class Refusal(Exception):
    """A provider's no, with its own shape. `reason` is what the stats count."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason
        self.headers: dict[str, str] = {}

    @abstractmethod
    def body(self) -> dict[str, Any]: ...
