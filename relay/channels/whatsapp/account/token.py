"""The stored access token, after Meta has said how long it is good. Asked once a day at most."""

from __future__ import annotations

import hashlib
import time

from relay.channels.base import Account, Token, TokenCache
from relay.channels.whatsapp.account import inspection
from relay.channels.whatsapp.client import WhatsAppClient
from relay.channels.whatsapp.errors import failure, meta_error
from relay.core.errors import SendError
from relay.core.languages import phrase

KEPT_SECONDS = 86_400.0
NEVER = "never"


class CheckedTokens:
    """`kept` is shared and sealed; losing it costs a look-up."""

    def __init__(self, client: WhatsAppClient, kept: TokenCache) -> None:
        self._client = client
        self._kept = kept

    def get(self, account: Account, deadline: float) -> Token:
        """Raises SendError (credentials) when Meta says that the token is not valid.

        What Meta does not want to tell, or cannot just now, is not held against the token.
        """
        value = account.credentials.get("access_token", "")
        if not value:
            raise SendError("credentials", "no_token", phrase("the line has no access token"))
        key = f"whatsapp:token:{account.tenant_id}:{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:32]}"
        known = self._kept.get(key)
        if known is not None:
            expires_at = int(known) if known.isdigit() else None
            if expires_at is None or expires_at > time.time():
                return Token(value, expires_at)
        return self._asked(key, value, account, deadline)

    def _asked(self, key: str, value: str, account: Account, deadline: float) -> Token:
        answer = self._client.get("/debug_token", account, deadline, {"input_token": value})
        data = inspection.data_of(answer)
        if data is None:
            error = meta_error(answer)
            if error is not None and error["code"] in (0, 190):
                raise failure(answer, account.credentials.values())
            return Token(value, None)
        if inspection.is_dead(data):
            raise SendError("credentials", "190", phrase("WhatsApp says that the access token is not valid any more"))
        expires_at = inspection.expiry(data)
        life = KEPT_SECONDS if expires_at is None else min(KEPT_SECONDS, expires_at - time.time())
        self._kept.set(key, NEVER if expires_at is None else str(expires_at), life)
        return Token(value, expires_at)
