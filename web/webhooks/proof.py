"""Whose secret signs this body? Asked before anything parses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import gevent

from db.tenants.unknown_lines import Signer
from relay.channels.base import Channel
from relay.core.errors import StoreError
from web.request.web_context import WebContext
from web.webhooks.budget import LARGE_BYTES, REFS_BEFORE_PROOF, SCANNED_BYTES, SECRETS_TRIED
from web.webhooks.endpoint import Endpoint
from web.webhooks.lines import ChannelName

SIGNATURE = re.compile(r"sha256=[0-9A-Za-z+/=]{40,64}")
"""Meta's hex, or Genesys' base64. Without one nothing of the body is even read."""

REFS = {
    "whatsapp": re.compile(rb'"phone_number_id"\s{0,16}:\s{0,16}(?:"([^"\\\x00-\x1f]{1,64})"|([0-9]{1,32}))'),
    "genesys": re.compile(rb'"id"\s{0,16}:\s{0,16}"([^"\\\x00-\x1f]{1,64})"'),
}


class NotProved(Exception):
    """No secret that counts here signs this body."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The secret that signs a body, and who it belongs to."""

    secret: str = field(repr=False)
    signer: Signer


def prove(raw: bytes, signature: str, endpoint: Endpoint, held: WebContext) -> Proof:
    """Raises NotProved, or StoreError while nobody can tell the secrets of a line that the body names.

    Each distinct secret is tried once, and SECRETS_TRIED at most. An empty one proves nothing.
    """
    tried, undecided = set[str](), list[str]()
    for secret, owner in _candidates(raw, endpoint, held, undecided):
        if not secret or secret in tried:
            continue
        if len(tried) == SECRETS_TRIED:
            break
        tried.add(secret)
        if _signs(held.channels[endpoint.channel], secret, raw, signature):
            return Proof(secret, Signer(held.signers.digest(secret), owner))
    if undecided:
        raise StoreError("the database is away, and with it the secrets that could verify this")
    raise NotProved


def refs_named(channel: ChannelName, raw: bytes) -> list[str]:
    """The lines that a body seems to name, without parsing it: candidates for whose secret signs it, no more."""
    found: dict[str, None] = {}
    for match in REFS[channel].finditer(raw, 0, SCANNED_BYTES):
        found[match[match.lastindex or 1].decode("utf-8", "replace")] = None
        if len(found) == REFS_BEFORE_PROOF:
            break
    return list(found)


def _candidates(
    raw: bytes, endpoint: Endpoint, held: WebContext, undecided: list[str]
) -> Iterator[tuple[str, str | None]]:
    """Secrets with the tenant they belong to: the address's own, then those of the lines that the body names."""
    yield from ((secret, endpoint.owner) for secret in endpoint.secrets)
    if not endpoint.shared:
        return
    refs = refs_named(endpoint.channel, raw)
    routes = held.lines.by_refs(endpoint.channel, refs)
    undecided += [ref for ref in refs if ref not in routes]
    for route in filter(None, map(routes.get, refs)):
        own = route.genesys_secrets if endpoint.channel == "genesys" else route.meta_secrets
        yield from ((secret, route.tenant_id) for secret in own)


def _signs(channel: Channel, secret: str, raw: bytes, signature: str) -> bool:
    """A pass over a large body takes milliseconds: OpenSSL does it in a thread, and others are served meanwhile."""
    if len(raw) <= LARGE_BYTES:
        return channel.verify(secret, raw, signature)
    return bool(gevent.get_hub().threadpool.apply(channel.verify, (secret, raw, signature)))
