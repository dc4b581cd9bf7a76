"""The phone of the people in these tests: an authenticator app, and the recovery codes they have written down."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass, field
from uuid import uuid4

import pyotp

from db.access import second_factor
from db.access.users import User
from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher

KEY = re.compile(r'id="key" value="([^"]+)"')
CODES = re.compile(r"<textarea[^>]*>([^<]+)</textarea>")
STEP_SECONDS = 30


@dataclass
class Entry:
    """What the app has of one account. `used` is the last half minute whose code was shown to the relay."""

    secret: str
    used: int = 0
    recovery_codes: list[str] = field(default_factory=list)


accounts: dict[str, Entry] = {}
"""By e-mail address."""


def scan(email: str, page: str) -> None:
    """Takes the key from the page that shows it."""
    found = KEY.search(page)
    assert found, page
    accounts[email] = Entry(html.unescape(found[1]).replace(" ", ""))


def write_down(email: str, page: str) -> None:
    found = CODES.search(page)
    assert found, page
    accounts[email].recovery_codes = html.unescape(found[1]).split()


def code(email: str) -> str:
    """One that was not used before. Where the app has none this moment, a recovery code: nobody waits half a minute."""
    entry = accounts[email]
    now = int(time.time()) // STEP_SECONDS
    step = max(now, entry.used + 1)
    if step <= now + 1:  # as much as a clock may be ahead
        entry.used = step
        return pyotp.TOTP(entry.secret).generate_otp(step)
    return entry.recovery_codes.pop()


def enrol(pool: Pool, keys: str, user: User) -> None:
    """As if the user had set a second factor up some time ago. `keys` are CREDENTIALS_KEYS."""
    entry = Entry(second_factor.new_secret())
    cipher, nowhere = Cipher([keys]), str(uuid4())
    entry.recovery_codes = second_factor.set_up(
        pool, cipher, Author("test"), user, entry.secret, 0, nowhere, by_choice=False
    )
    accounts[user.email] = entry
