"""Takes secrets and personal data out of texts that may be logged, stored or shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 500

_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',]+"), r"\1 [secret]"),
    (
        re.compile(r"(?i)\b((?:access_|refresh_|input_)?token|client_secret|code_verifier|code)=[^\s&\"']+"),
        r"\1=[secret]",
    ),
    (re.compile(r"\bEAA[A-Za-z0-9]{8,}"), "[secret]"),
    (re.compile(r"\bwamid\.[A-Za-z0-9+/=_-]+"), "[wamid]"),
    (re.compile(r"\b[A-Za-z]{2}\.(?:ENT\.)?(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,128}\b"), "[user id]"),
    (re.compile(r"(https?://[^\s?#\"'<>]+)[?#][^\s\"'<>]*"), r"\1?[...]"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "[address]"),
    (re.compile(r"(?<![\w-])\+?\d(?:[ ().-]{0,2}\d){6,}(?![\w-])"), "[number]"),
    (re.compile(r"(?<![\w])\+?\d{7,}"), "[number]"),
)


def redact(text: object, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets, tokens, phone numbers and user ids; cut to a sane length."""
    clean = str(text)
    for secret in secrets:
        if len(secret) >= 4:
            clean = clean.replace(secret, "[secret]")
    for pattern, replacement in _PATTERNS:
        clean = pattern.sub(replacement, clean)
    return clean[:LONGEST]
