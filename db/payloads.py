"""A provider's raw item, as it may be shown: what opens doors is taken out, what people wrote stays."""

from __future__ import annotations

import re
from typing import Any

MASK = "[secret]"
DEPTH = 100
"""Deeper than any provider nests; what lies below is left out."""

_SECRET_NAME = re.compile(
    r"(?i)(secret|token|password|passwd|authorization|signature|credential|api[-_]?key|private[-_]?key|cookie)"
)
# Addresses that the providers sign: whoever has one has the file.
_ADDRESS_NAME = re.compile(r"(?i)(url|uri|href|link)$")
_QUERY = re.compile(r"(https?://[^\s?#\"'<>]+)\?[^\s\"'<>]*")
_PARAMETER = re.compile(
    r"(?i)([?&;](?:[a-z0-9_.-]*(?:token|secret|signature|password|credential|api_?key)|sig|hash|auth|key|code)=)[^\s&#;\"'<>]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}")
_META_TOKEN = re.compile(r"\bEAA[A-Za-z0-9]{8,}")


def redacted(value: Any, name: str = "", depth: int = 0) -> Any:
    """The same JSON with secrets replaced, by their names, and tokens wherever they stand in a text."""
    if depth > DEPTH:
        return "[nested too deeply]"
    if value in (None, "", True, False):
        return value
    if _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, dict):
        return {key: redacted(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, name, depth + 1) for inner in value]
    return _text(value, name) if isinstance(value, str) else value


def _text(text: str, name: str) -> str:
    if _ADDRESS_NAME.search(name):
        text = _QUERY.sub(rf"\1?{MASK}", text)
    text = _PARAMETER.sub(rf"\1{MASK}", text)
    return _META_TOKEN.sub(MASK, _BEARER.sub(rf"\1 {MASK}", text))
