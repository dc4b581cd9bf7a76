"""Whether an ID token is what it says: signed by its issuer, for us, for this log-in, and in time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from web.openid.errors import OpenIdError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by the issuer's private key and nothing else: neither `none` nor what our own secret could make."""
LEEWAY = 60
LONGEST = 64 * 1024
LONGEST_SUBJECT = 255


def key_id(token: str) -> str | None:
    """The key that the token names, read before anything is proved. Raises OpenIdError."""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, RecursionError):
        raise OpenIdError("bad_token", "The provider's answer holds no readable ID token.") from None
    found = header.get("kid")
    return found if isinstance(found, str) else None


def checked(
    token: str, keys: Sequence[Key], issuer: str, client_id: str, nonce: str, access_token: str | None
) -> dict[str, Any]:
    """The claims, once all is proved. Raises OpenIdError with the claim that is wrong."""
    if len(token) > LONGEST:
        raise OpenIdError("bad_token", "The provider's ID token is too long.")
    try:
        found = jwt.decode(token, KeySet(list(keys)), algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            found.claims,
            found.header,
            {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "sub": {"essential": True},
                "exp": {"essential": True},
                "iat": {"essential": True},
            },
            {"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(int(time.time()), LEEWAY)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OpenIdError("bad_token", f"The provider's ID token proves nothing: {_why(error)}.") from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise OpenIdError("bad_token", "The provider's ID token names nobody.")
    return dict(claims)


def _why(error: Exception) -> str:
    """The kind of fault, in words of ours: a library's text may repeat what the provider sent."""
    name = type(error).__name__.removesuffix("Error")
    words = {
        "BadSignature": "its signature is wrong",
        "ExpiredToken": "it has expired",
        "InvalidKeyId": "the key it names is not among the issuer's",
        "UnsupportedAlgorithm": "it is signed in a way that is not accepted",
        "InvalidClaim": "a claim is wrong",
        "MissingClaim": "a claim is missing",
    }
    claim = getattr(error, "claim", None)
    named = f" ({claim})" if isinstance(claim, str) and claim.isidentifier() and len(claim) < 30 else ""
    return words.get(name, "it cannot be read") + named
