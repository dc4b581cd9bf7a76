"""Why a server's certificate was not accepted, and what to do, out of whatever a client library raised."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

NAME_DIFFERS = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
LIFE = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
BEHIND_US = "put the authority that signed it into TLS_CA_FILE"
OTHERS = "it must be signed by an authority that this system knows"
RENAME = "use the name that it is made out to, or have one made for this name"
RENEW = "have it renewed, or set the clock right"


def refusal(error: BaseException, unknown_signer: str = BEHIND_US) -> str | None:
    """One sentence, or None where a certificate is not what failed.

    `unknown_signer`: what to do about an authority that nobody knows.
    """
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return _sentence(one.verify_message, _advice(one.verify_code, unknown_signer))
    # PostgreSQL's library has only words.
    text = str(error).strip().rpartition("failed: ")[2]
    if "does not match host name" in text:
        return _sentence(text, RENAME)
    if "certificate verify failed" in str(error):
        return _sentence("it is signed by nobody known here, or not valid now", f"{unknown_signer}, or {RENEW}")
    return None


def _sentence(why: str, advice: str) -> str:
    return f"the server's certificate is not accepted ({why.rstrip('.')}): {advice}"


def _advice(code: int, unknown_signer: str) -> str:
    if code in NAME_DIFFERS:
        return RENAME
    return RENEW if code in LIFE else unknown_signer


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it wraps: as its cause, its context, its reason (urllib3) or an argument."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
