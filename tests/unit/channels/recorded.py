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


def shown(event: Event, like: dict[str, Any]) -> dict[str, Any]:
    """The event's fields that `like` speaks of; of a file only the fields `like` names."""
    values = {"event": type(event).__name__.lower(), **json.loads(dump(event))}
    media = like.get("media")
    if isinstance(media, dict) and values.get("media"):
        values["media"] = {key: values["media"][key] for key in media}
    return {key: values[key] for key in like}
