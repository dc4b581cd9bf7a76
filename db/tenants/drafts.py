"""onboarding_drafts: a set-up that was begun and is to be gone on with. What was typed is sealed as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from db.pool import Pool
from db.resealing import reseal_column
from db.sealing import Cipher, SealError
from db.tenants.changes import TakenError

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class OnboardingDraft:
    """`step` is where its author was last. `values` hold secrets in clear: never log or show them."""

    step: int = 1
    values: dict[str, Any] = field(default_factory=dict, repr=False)
    updated_at: datetime | None = None


def get(pool: Pool, cipher: Cipher, tenant_id: str) -> OnboardingDraft:
    """A tenant without a draft has an empty one."""
    with pool.autocommit() as cursor:
        cursor.execute("SELECT step, sealed, updated_at FROM onboarding_drafts WHERE tenant_id = %s", (tenant_id,))
        row = cursor.fetchone()
    return OnboardingDraft() if row is None else OnboardingDraft(row[0], _opened(cipher, row[1], tenant_id), row[2])


@contextmanager
def changing(pool: Pool, cipher: Cipher, tenant_id: str) -> Iterator[OnboardingDraft]:
    """What is done to the draft inside is kept. Two browsers go one after the other, so nothing typed gets lost.

    Raises TakenError for a draft that no key opens: it would be overwritten.
    """
    with pool.transaction() as cursor:
        cursor.execute(
            "INSERT INTO onboarding_drafts (tenant_id, sealed) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (tenant_id, cipher.seal({})),
        )
        cursor.execute(
            "SELECT step, sealed, updated_at FROM onboarding_drafts WHERE tenant_id = %s FOR UPDATE", (tenant_id,)
        )
        step, sealed, updated_at = cursor.fetchone()
        try:
            draft = OnboardingDraft(step, cipher.open(sealed), updated_at)
        except SealError:
            text = "what was typed here before cannot be opened: a key is missing from CREDENTIALS_KEYS; put it back"
            raise TakenError("draft_sealed", text) from None
        yield draft
        cursor.execute(
            "UPDATE onboarding_drafts SET step = %s, sealed = %s, updated_at = now() WHERE tenant_id = %s",
            (draft.step, cipher.seal(draft.values), tenant_id),
        )


def reseal(pool: Pool, cipher: Cipher) -> int:
    """Bring all drafts under the newest key. Returns how many; what no key opens any more stays as it is."""

    def lost(row: str) -> None:
        log.warning("onboarding draft cannot be opened any more", tenant_id=row)

    return reseal_column(pool, cipher, "onboarding_drafts", lost, key="tenant_id")


def _opened(cipher: Cipher, sealed: str, tenant_id: str) -> dict[str, Any]:
    """A draft whose key is gone is shown as an empty one, so that its page opens; `changing` refuses it."""
    try:
        return cipher.open(sealed)
    except SealError:
        log.warning("onboarding draft cannot be opened any more", tenant_id=tenant_id)
        return {}
