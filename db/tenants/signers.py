"""Names for secrets that sign webhooks: what is kept for later says whose signature it bore, and no secret.

A digest is keyed with a value of this installation's own, which lies sealed in `relay_settings`: neither a dump of the
database nor a list of likely secrets tells which secret a digest belongs to.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import Literal

from db.pool import Pool
from db.sealing import Cipher
from db.tenants.lines import effective_secrets, route_of_line
from relay.core.messages import Update

NAME = "signer_key"
CHANNELS: dict[str, Literal["whatsapp", "genesys"]] = {"whatsapp": "whatsapp", "genesys": "genesys"}


class Signers:
    """`load` once before the first digest: a webhook must not wait for it."""

    def __init__(self, pool: Pool, cipher: Cipher) -> None:
        self._pool = pool
        self._cipher = cipher
        self._key = b""

    def load(self) -> None:
        """Read this installation's key, or make it. Raises DatabaseError, and SealError when no key opens it."""
        sealed = self._cipher.seal({"key": secrets.token_hex(32)})
        with self._pool.transaction() as cursor:
            cursor.execute("INSERT INTO relay_settings VALUES (%s, %s) ON CONFLICT DO NOTHING", (NAME, sealed))
            cursor.execute("SELECT value FROM relay_settings WHERE name = %s", (NAME,))
            self._key = bytes.fromhex(self._cipher.open(cursor.fetchone()[0])["key"])

    def digest(self, secret: str) -> str:
        """32 hexadecimal digits. The same secret has the same digest for as long as this installation lives."""
        if not self._key:
            self.load()
        return hmac.digest(self._key, secret.encode("utf-8", "replace"), "sha256").hex()[:32]

    def digests(self, proving: Iterable[str]) -> list[str]:
        """Of the secrets that are set."""
        return [self.digest(secret) for secret in proving if secret]

    def proves(self, update: Update, app_secrets: tuple[str, ...]) -> bool:
        """Whether what was kept is signed with a secret that counts for its line now. `app_secrets`: the operator's."""
        if update.channel not in CHANNELS:
            return False
        route = route_of_line(self._pool, self._cipher, update.line_id)
        if route is None or route.tenant_id != update.tenant_id:
            return False
        return update.signer in self.digests(effective_secrets(CHANNELS[update.channel], route, app_secrets))


def reseal(pool: Pool, cipher: Cipher) -> int:
    """The key under the newest of CREDENTIALS_KEYS. Returns how many were sealed: 0 before the first webhook."""
    with pool.transaction() as cursor:
        cursor.execute("SELECT value FROM relay_settings WHERE name = %s FOR UPDATE", (NAME,))
        row = cursor.fetchone()
        if row is not None:
            cursor.execute("UPDATE relay_settings SET value = %s WHERE name = %s", (cipher.reseal(row[0]), NAME))
    return 0 if row is None else 1
