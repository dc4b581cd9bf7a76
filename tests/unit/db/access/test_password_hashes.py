"""What a stored password costs whoever wants to guess it: asked of a process of its own, since tests hash cheaply."""

from __future__ import annotations

import subprocess
import sys

import argon2

from db.access import passwords
from tests.processes import ROOT

HASHED = "from db.access import passwords; print(passwords.hashed('x')); print(passwords._NOBODY)"


def test_a_hash_costs_what_the_library_recommends_and_nobodys_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", HASHED], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [argon2.extract_parameters(line) for line in done.stdout.splitlines()]
    assert found == [argon2.PasswordHasher()._parameters] * 2
    assert (found[0].type, found[0].memory_cost) == (argon2.Type.ID, 65_536)


def test_a_hash_that_was_made_at_another_price_is_still_good() -> None:
    dear = argon2.PasswordHasher(time_cost=2, memory_cost=128, parallelism=1).hash("correct horse")
    assert passwords.matches(dear, "correct horse")
    assert not passwords.matches(dear, "wrong horse")
