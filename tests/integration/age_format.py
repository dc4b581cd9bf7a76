"""A file of age version 1, opened with what its specification says, and with nothing that wrote it (C2SP: age)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHUNK = 64 * 1024 + 16


def opened(path: Path, identity: str) -> bytes:
    """What is inside. Raises ValueError or cryptography's InvalidTag."""
    raw = path.read_bytes()
    head, payload = _parts(raw)
    file_key = _file_key(head, _secret(identity))
    mac = hmac.new(_derived(file_key, b"", b"header"), head[: head.rindex(b"--- ") + 3], hashlib.sha256).digest()
    if base64.b64encode(mac).rstrip(b"=") != head[head.rindex(b"--- ") + 4 :].strip():
        raise ValueError("the header was changed")
    box = ChaCha20Poly1305(_derived(file_key, payload[:16], b"payload"))
    chunks = [payload[at : at + CHUNK] for at in range(16, len(payload), CHUNK)]
    return b"".join(
        box.decrypt(n.to_bytes(11, "big") + bytes([n == len(chunks) - 1]), chunk, None)
        for n, chunk in enumerate(chunks)
    )


def _parts(raw: bytes) -> tuple[bytes, bytes]:
    if not raw.startswith(b"age-encryption.org/v1\n"):
        raise ValueError("no file of age")
    end = raw.index(b"\n", raw.index(b"\n--- ") + 1) + 1
    return raw[:end], raw[end:]


def _file_key(head: bytes, secret: X25519PrivateKey) -> bytes:
    lines = head.decode().splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("-> X25519 "))
    share, body = _base64(lines[place].split()[2]), _base64(lines[place + 1])
    own = secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = secret.exchange(X25519PublicKey.from_public_bytes(share))
    return ChaCha20Poly1305(_derived(shared, share + own, b"age-encryption.org/v1/X25519")).decrypt(
        bytes(12), body, None
    )


def _derived(key: bytes, salt: bytes, about: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, about).derive(key)


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _secret(identity: str) -> X25519PrivateKey:
    """Bech32, without its checksum."""
    data = identity.lower().rpartition("1")[2][:-6]
    bits = "".join(f"{LETTERS.index(letter):05b}" for letter in data)
    return X25519PrivateKey.from_private_bytes(bytes(int(bits[at : at + 8], 2) for at in range(0, 256, 8)))
