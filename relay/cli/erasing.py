"""`relay erase`: have the daemons erase a person, and follow it to the certificate. Lines for people."""

from __future__ import annotations

import time
from collections.abc import Iterator

from conf.settings import Settings
from db.audit import Author
from db.contacts import erasures
from db.contacts.erasures import Erasure
from db.pool import Pool
from db.tenants.signers import Signers
from relay.cli.speaking import NotNowError
from relay.clients import build_cipher
from relay.core.erasure import sought

BY = Author("command line")
LOOK_SECONDS = 1.0


def erase(settings: Settings, tenant_id: str, contact: str) -> Iterator[str]:
    """Ask, then follow until it has ended. Raises NotNowError, NotFoundError, TakenError."""
    try:
        name = sought(contact)
    except ValueError as error:
        raise NotNowError(f"whom to erase {error}") from None
    cipher = build_cipher(settings)
    with Pool(settings.database_url, size=1) as pool:
        signers = Signers(pool, cipher)
        signers.load()  # now: within the transaction it would wait for this pool's one connection
        one = erasures.begin(pool, cipher, signers, BY, tenant_id, name)
        yield f"erasure {one.id} has begun; the daemons go on with it when this command is stopped"
        told = None
        while one.ended_at is None:
            if (one.stage, one.trouble) != told:
                told = one.stage, one.trouble
                yield f"  {one.stage}" + (f": {one.trouble}" if one.trouble else "")
            time.sleep(LOOK_SECONDS)
            one = erasures.get(pool, tenant_id, one.id)
        yield from _certificate(one)


def show(settings: Settings, tenant_id: str, erasure_id: str) -> Iterator[str]:
    """How far it is, or the certificate. Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        yield from _certificate(erasures.get(pool, tenant_id, erasure_id))


def _certificate(one: Erasure) -> Iterator[str]:
    yield f"erasure {one.id} of {one.asked_at:%Y-%m-%d %H:%M:%S} UTC, by {one.asked_by}"
    yield f"  digest of the person: {one.digest}"
    yield f"  ended {one.ended_at:%Y-%m-%d %H:%M:%S} UTC" if one.ended_at else f"  under way: {one.stage}"
    for place, count in sorted(one.counts.items()):
        yield f"  {place}: {count}"
