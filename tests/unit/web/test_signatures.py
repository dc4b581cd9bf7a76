"""Which items a signature authorises: the rule by itself, without a server."""

from __future__ import annotations

from typing import cast

import pytest

from db.lines import LineRoute
from db.pool import DatabaseError
from relay.channels.base import Part
from web.lines import LineDirectory
from web.webhooks.judges import of_line
from web.webhooks.proof import SECRETS_TRIED, Proof, effective_secrets
from web.webhooks.sorting import REFS_BEFORE_PROOF, Verdict, sort


def route(tenant_id: str = "t", own: tuple[str, ...] = (), hook: tuple[str, ...] = ("hook",)) -> LineRoute:
    return LineRoute(
        line_id=f"line-of-{tenant_id}",
        tenant_id=tenant_id,
        tenant_status="active",
        phone_number_id="1",
        integration_id="integration",
        webhook_key="k",
        tenant_webhook_key="tk",
        verify_token=None,
        meta_secrets=own,
        genesys_secrets=hook,
    )


class Signer:
    """Verifies with one secret, and counts."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.tried: list[str] = []

    def verify(self, secret: str, _raw: bytes, _signature: str | None) -> bool:
        self.tried.append(secret)
        return secret == self.secret


def proof(secret: str) -> tuple[Proof, Signer]:
    signer = Signer(secret)
    return Proof(signer.verify, b"{}", "sha256=x"), signer


def test_an_empty_secret_is_not_even_tried() -> None:
    empty, signer = proof("")
    assert not empty.by(["", ""])
    assert not empty.given
    assert signer.tried == []


def test_each_secret_is_tried_once_and_eight_at_most() -> None:
    some, signer = proof("secret-9")
    for _ in range(2):
        assert not some.by(f"secret-{n}" for n in range(20))
    assert signer.tried == [f"secret-{n}" for n in range(SECRETS_TRIED)]
    assert not some.given


def test_the_previous_secret_counts_as_well() -> None:
    found, _ = proof("previous")
    assert found.by(("current", "previous"))
    assert found.given


@pytest.mark.parametrize(
    ("channel", "own", "expected"),
    [("whatsapp", (), ("app",)), ("whatsapp", ("mine", "old"), ("mine", "old")), ("genesys", ("mine",), ("hook",))],
)
def test_a_tenants_own_secrets_replace_the_operators(
    channel: str, own: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert effective_secrets(channel, route(own=own), ("app",)) == expected


def test_a_line_without_any_secret_can_prove_nothing() -> None:
    assert effective_secrets("whatsapp", route(), ()) == ()
    found, _ = proof("")
    assert of_line(cast(LineDirectory, None), route(hook=()), found)("integration") == route(hook=())
    assert not found.given


def parts(*refs: str) -> list[Part]:
    return [Part(ref, "a", {}, index) for index, ref in enumerate(refs)]


def test_items_are_sorted_and_each_line_judged_once() -> None:
    judged: list[str] = []
    verdicts: dict[str, Verdict] = {"mine": route("a"), "also": route("b"), "theirs": "foreign", "": "unknown"}

    def judge(ref: str) -> Verdict:
        judged.append(ref)
        if ref == "down":
            raise DatabaseError("away")
        return verdicts[ref]

    found = sort(parts("mine", "theirs", "mine", "", "down", "also", "down"), judge, lambda: True)
    assert judged == ["mine", "theirs", "", "down", "also"]
    assert [part.index for part, _ in found.accepted] == [0, 2, 5]
    assert [part.index for part in found.foreign] == [1]
    assert [part.index for part in found.unknown] == [3]
    assert [part.index for part in found.undecided] == [4, 6]
    assert found.owners == {"a": ["mine"], "b": ["also"]}


def test_who_has_proved_nothing_causes_few_look_ups() -> None:
    judged: list[str] = []

    def judge(ref: str) -> Verdict:
        judged.append(ref)
        return "unknown"

    many = parts(*(str(n) for n in range(1000)))
    found = sort(many, judge, lambda: False)
    assert len(judged) == REFS_BEFORE_PROOF
    assert len(found.foreign) == 1000 - REFS_BEFORE_PROOF
    assert len(sort(many, judge, lambda: True).unknown) == 1000
