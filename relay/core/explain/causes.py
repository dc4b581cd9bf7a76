"""Why a message failed, in words that both sides understand: each channel maps its own codes to these."""

from __future__ import annotations

from typing import Literal

Cause = Literal[
    "window_closed", "elsewhere", "rate", "not_allowed", "unsupported", "invalid", "recipient", "server", "media_type",
    "media_size", "opted_out", "credentials", "general",
]  # fmt: skip

_OWN: dict[str, Cause] = {
    "window_closed": "window_closed",
    "direct_send_not_enabled": "window_closed",
    "caption_not_allowed": "unsupported",
    "empty": "invalid",
    "text_too_long": "invalid",
    "control_too_late": "not_allowed",
    "end_overtaken": "not_allowed",
    "template_unreadable": "invalid",
    "command_unreadable": "invalid",
    "template_mistake": "invalid",
    "no_address": "recipient",
    "media_type_not_allowed": "media_type",
    "media_too_large": "media_size",
    "too_large": "media_size",
    "media_empty": "media_size",
    "empty_file": "media_size",
    "no_token": "credentials",
    "no_client": "credentials",
    "unusable_token": "credentials",
    "internal_error": "server",
    "outcome_unknown": "server",
    "restored": "server",
    "media_not_ready": "server",
    "media_unavailable": "server",
    "timeout": "server",
    "connect_timeout": "server",
    "connect_failed": "server",
    "tls_failed": "server",
    "connection_lost": "server",
    "bad_answer": "server",
    "http_408": "server",
    "http_413": "media_size",
    "http_415": "media_type",
    "http_429": "rate",
}


def own_cause(code: str | None) -> Cause | None:
    """The cause of a failure that the relay itself found; None for a provider's code."""
    code = code or ""
    return _OWN.get(code) or ("server" if code.startswith("http_5") else None)
