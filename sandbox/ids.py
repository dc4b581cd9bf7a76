"""Identifiers in the shapes that the providers use."""

import base64
import hashlib
import itertools
import re
import secrets
import string
import uuid

BSUID = re.compile(r"^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$")

_media = itertools.count(secrets.randbelow(10**14) + 10**15)
_COUNTRIES = {
    "1": "US",
    "31": "NL",
    "33": "FR",
    "34": "ES",
    "39": "IT",
    "41": "CH",
    "43": "AT",
    "44": "GB",
    "49": "DE",
    "52": "MX",
    "54": "AR",
    "55": "BR",
    "61": "AU",
    "91": "IN",
}


def wamid(peer: str, *, inbound: bool) -> str:
    """Like the real one, it holds the peer's number: a log that prints it prints a phone number."""
    digits = peer.encode()[:200]
    token = secrets.token_hex(10).upper().encode()
    packed = b"\x1c\x18" + bytes([len(digits)]) + digits + b"\x15\x02\x00" + (b"\x12" if inbound else b"\x11")
    return "wamid." + base64.b64encode(packed + b"\x18\x14" + token + b"\x00").decode()


def media_id() -> str:
    return str(next(_media))


def fbtrace_id() -> str:
    alphabet = string.ascii_letters + string.digits
    return "A" + "".join(secrets.choice(alphabet) for _ in range(22))


def message_id() -> str:
    """A Genesys message id: 32 hex digits without dashes."""
    return uuid.uuid4().hex


def dashed(message_id: str) -> str:
    """The same in the form that Genesys' documents show as well."""
    return str(uuid.UUID(message_id))


def conversation_id() -> str:
    return str(uuid.uuid4())


def bsuid(wa_id: str, seed: str | None = None) -> str:
    """Derived from the number, so that a phone keeps its id over a reset; another seed makes another one."""
    country = _COUNTRIES.get(wa_id[:2]) or _COUNTRIES.get(wa_id[:1]) or "US"
    return f"{country}.{int(hashlib.sha256((seed or wa_id).encode()).hexdigest()[:16], 16):020d}"


def call_id(peer: str) -> str:
    return wamid(peer, inbound=True).replace("wamid.", "wacid.", 1)


def request_id() -> str:
    return str(uuid.uuid4())
