"""The two ways of a message, driven and watched through the sandbox's remote control."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from sandbox.samples import sample

CUSTOMER = "4915112345678"
SECONDS = 15


@dataclass(frozen=True)
class SmokeMessage:
    """The sender's id of a message, and the question whether the other side shows the very same content."""

    id: str
    arrived: Callable[[], bool]


class SmokeChat:
    """One customer and one agent. The agent answers in the conversation that the customer has begun."""

    def __init__(self, sandbox: str) -> None:
        self._control = f"{sandbox}/control"

    def customer_writes(self, kind: str) -> SmokeMessage:
        text, body = _message(kind, "media")
        answer = self._post("phone/messages", {"from": CUSTOMER, "name": "Ada Brandt", "type": kind, **body})
        return SmokeMessage(str(answer["id"]), lambda: self._agent_sees(kind, text))

    def agent_writes(self, kind: str) -> SmokeMessage:
        text, body = _message(kind, "attachment")
        answer = self._post("agent/messages", {"contact": self._contact(), **body})
        return SmokeMessage(str(answer["id"]), lambda: self._phone_shows(kind, text))

    def _agent_sees(self, kind: str, text: str) -> bool:
        return any(
            _sha256(message.get("attachment")) == _digest(kind) if kind != "text" else message.get("text") == text
            for contact in self._get("agent/contacts")["contacts"]
            for message in self._get(f"agent/{contact['contact']}/messages")["messages"]
            if message["direction"] == "inbound"
        )

    def _phone_shows(self, kind: str, text: str) -> bool:
        return any(
            _sha256(message.get("media")) == _digest(kind) if kind != "text" else message.get("text") == text
            for message in self._get(f"phone/{CUSTOMER}/messages")["messages"]
            if message["direction"] == "outbound"
        )

    def _contact(self) -> str:
        return str(self._get("agent/contacts")["contacts"][0]["contact"])

    def _get(self, path: str) -> dict[str, Any]:
        return _checked(requests.get(f"{self._control}/{path}", timeout=SECONDS))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _checked(requests.post(f"{self._control}/{path}", json=body, timeout=SECONDS))


def _message(kind: str, place: str) -> tuple[str, dict[str, Any]]:
    """A text that no other message has, or the file of a kind."""
    if kind == "text":
        text = f"Smoke {secrets.token_hex(4)}: Grüße, 你好, 🙂"
        return text, {"text": text}
    file = sample(kind)
    data = base64.b64encode(file.data).decode()
    return "", {place: {"data": data, "mime_type": file.mime_type, "filename": file.filename}}


def _digest(kind: str) -> str:
    return hashlib.sha256(sample(kind).data).hexdigest()


def _sha256(file: dict[str, Any] | None) -> str | None:
    return file.get("sha256") if file else None


def _checked(answer: requests.Response) -> dict[str, Any]:
    if not answer.ok:
        raise RuntimeError(f"the sandbox answered {answer.status_code} to {answer.url}: {answer.text[:500]}")
    return dict(answer.json())
