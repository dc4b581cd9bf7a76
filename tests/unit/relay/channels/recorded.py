"""Recorded payloads beside the channels' code, and how an event is compared with what was written down."""

import json
from pathlib import Path
from typing import Any

import relay.channels
from relay.core.messages import Event, dump

ROOT = Path(relay.channels.__file__).parent


def recorded(channel: str, name: str) -> Any:
    """Python's own JSON reader: orjson refuses the lone surrogates some payloads hold on purpose."""
    return json.loads((ROOT / channel / "fixtures" / f"{name}.json").read_text())


def shown(event: Event, like: dict[str, Any]) -> Any:
    """The event's fields that `like` speaks of, and within them the same."""
    return _like({"event": type(event).__name__.lower(), **json.loads(dump(event))}, like)


def _like(value: Any, like: Any) -> Any:
    if isinstance(value, dict) and isinstance(like, dict) and like:
        return {key: _like(value[key], like[key]) for key in like}
    if isinstance(value, list) and isinstance(like, list) and len(value) == len(like):
        return [_like(one, other) for one, other in zip(value, like, strict=True)]
    return value
