"""The providers. Only `load` imports one, by name; nothing else knows which exist."""

from importlib import import_module

from relay.channels.base import Channel
from relay.channels.http.client import HttpTransport

NAMES = ("whatsapp", "genesys")


def load(name: str, transport: HttpTransport) -> Channel:
    """The channel called `name`. Raises ValueError for a name that is not installed."""
    if name not in NAMES:
        raise ValueError(f"no channel {name!r}; installed: {', '.join(NAMES)}")
    channel: Channel = import_module(f"relay.channels.{name}").create(transport)
    return channel
