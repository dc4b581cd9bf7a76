"""What is a secret and what is about people, told by names and by shapes: one answer for log, answers and payloads.

Texts come from strangers and may be megabytes long. So each pattern here takes a time that grows with the text's
length and no faster: no two starts read the same stretch, and what was read is not given back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

MASK = "[secret]"
DEPTH = 100
"""Deeper than any provider nests; what lies below is left out."""
SHORT_NAME = 64
"""Names no longer than this are judged once and remembered: log and payloads have the same few again and again."""

_WORDS = r"(?:secret|token|passw|authori[sz]ation|signature|cookie|credential|api[-_]?key|private[-_]?key)"
_SECRET_NAME = re.compile(rf"(?i){_WORDS}|dsn|(?:^|[_\-. ])keys?$")
_HARMLESS_NAMES = frozenset({"routing_key", "queue_key", "dedup_key", "idempotency_key"})
"""They end in `key` and are no secrets; a log without them could not be searched."""
# Addresses that the providers sign: whoever has one has the file.
_ADDRESS_NAME = re.compile(r"(?i)(?:url|uri|href|link)$")

# Each with a piece of text without which it cannot match: most texts have none of them.
_SECRETS = (
    # A password in a URL; one that holds an @ ends at the last
    ("://", re.compile(r"((?<=://)[^\s:/@]*+:)[^\s/]+(?=@)"), rf"\1{MASK}"),
    # JSON or a program's own notation within a text; then the same with its quotes escaped
    ('"', re.compile(rf'(?i)({_WORDS}[\w-]{{0,40}}+"\s*+:\s*+")(?:[^"\\]|\\.)++'), rf"\1{MASK}"),
    ("'", re.compile(rf"(?i)({_WORDS}[\w-]{{0,40}}+'\s*+:\s*+')(?:[^'\\]|\\.)++"), rf"\1{MASK}"),
    ('\\"', re.compile(rf'(?i)({_WORDS}[\w-]{{0,40}}+\\++"\s*+:\s*+\\++")[^"\\]++'), rf"\1{MASK}"),
    ("=", re.compile(rf"(?i)({_WORDS}[\w.-]{{0,40}}+=)[^\s&#;\"'<>]++"), rf"\1{MASK}"),
    ("=", re.compile(r"(?i)((?:^|[?&;])(?:sig|hash|auth|key|code)=)[^\s&#;\"'<>]++"), rf"\1{MASK}"),
    # A token has a digit or sign in it, or is longer than a word: "basic questions" stay
    (
        " ",
        re.compile(
            r"(?i)\b(bearer|basic)\s++(?=[a-z]*+(?:[0-9_~+/=]|[.-][a-z0-9])|[a-z]{20})[a-z0-9._~+/=-]{6,}+",
        ),
        rf"\1 {MASK}",
    ),
    # Meta's tokens, of which a part may have been taken out by name already
    ("EAA", re.compile(r"\bEAA(?:[A-Za-z0-9_-]|\[secret\]){8,}+"), MASK),
)
_SIGNS = re.compile("|".join(sorted({re.escape(sign) for sign, _, _ in _SECRETS})))
_URL = re.compile(r"(https?://[^\s?#\"'<>]++)([?#][^\s\"'<>]*+)?")
_PEOPLE = (
    (re.compile(r"\bwamid\.[A-Za-z0-9+/=_-]++"), "[wamid]"),
    (re.compile(r"\b[A-Za-z]{2}\.(?:ENT\.)?(?=[A-Za-z]*+\d)[A-Za-z0-9]{6,128}\b"), "[user id]"),
    (re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]++"), "[address]"),
    # No number has forty digits: without an end, each of them would be looked at from each
    (re.compile(r"(?<![\w-])\+?\d(?:[ ().-]{0,2}\d){6,40}(?![\w-])"), "[number]"),
    (re.compile(r"(?<!\w)\+?\d{7,}+"), "[number]"),
)


def is_secret(name: str) -> bool:
    """Whether what stands under this name is a secret, whatever it looks like."""
    return _named(name)[0]


def _named(name: str) -> tuple[bool, bool]:
    """Whether it names a secret, and whether an address."""
    return _remembered(name) if len(name) <= SHORT_NAME else _judged(name)


def _judged(name: str) -> tuple[bool, bool]:
    secret = name not in _HARMLESS_NAMES and _SECRET_NAME.search(name) is not None
    return secret, _ADDRESS_NAME.search(name) is not None


_remembered = lru_cache(maxsize=4_096)(_judged)


def without_secrets(text: str) -> str:
    """The text without tokens, passwords and signatures, wherever in it they stand."""
    if _SIGNS.search(text) is not None:
        for sign, pattern, replacement in _SECRETS:
            if sign in text:
                text = pattern.sub(replacement, text)
    return text


def without_people(text: str) -> str:
    """The text without phone numbers, addresses and ids of people, and without what follows a URL's path."""
    text = _without_queries(text, "[...]")
    for pattern, replacement in _PEOPLE:
        text = pattern.sub(replacement, text)
    return text


def redacted(value: Any, name: str = "", depth: int = 0) -> Any:
    """The same JSON with secrets replaced: by their names, and wherever they stand in a text. People's words stay."""
    if depth > DEPTH:
        return "[nested too deeply]"
    if value is None or value == "" or isinstance(value, bool):
        return value
    secret, address = _named(name)
    if secret:
        return MASK
    if isinstance(value, str):
        return without_secrets(_without_queries(value, MASK) if address else value)
    if isinstance(value, dict):
        return {key: redacted(inner, str(key), depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner, name, depth + 1) for inner in value]
    return value


def _without_queries(text: str, mark: str) -> str:
    """Every URL is read once and whole, so that one within another is no second start."""
    return _URL.sub(lambda found: f"{found[1]}?{mark}" if found[2] else found[0], text)
