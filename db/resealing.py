"""Sealed columns, brought under the newest of CREDENTIALS_KEYS."""

from __future__ import annotations

from collections.abc import Callable

from db.pool import Pool
from db.sealing import Cipher, SealError


def reseal_column(
    pool: Pool, cipher: Cipher, table: str, lost: Callable[[str], object], *, key: str = "id", column: str = "sealed"
) -> int:
    """Of all rows of `table`, which `key` names one by one. Returns how many.

    `lost` hears of a row whose value no key opens any more; it stays as it is.
    """
    count = 0
    with pool.transaction() as cursor:
        cursor.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL FOR UPDATE")
        for name, sealed in cursor.fetchall():
            try:
                anew = cipher.reseal(sealed)
            except SealError:
                lost(str(name))
                continue
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", (anew, name))
            count += 1
    return count
