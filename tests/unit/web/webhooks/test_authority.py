"""Which items a signature authorises: the rule by itself, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from db.pool import DatabaseError
from db.tenants.lines import LineRoute, effective_secrets
from db.tenants.unknown_lines import Signer
from relay.channels.raw_update import RawUpdate
from relay.core.errors import StoreError
from web.request.web_context import WebContext
from web.webhooks import endpoint as endpoints
from web.webhooks.authority import Authorised, authorise
from web.webhooks.budget import MOST_REFS, REFS_BEFORE_PROOF, SECRETS_TRIED, OverBudget
from web.webhooks.endpoint import Endpoint
from web.webhooks.lines import LineDirectory, TenantHook
from web.webhooks.proof import NotProved, Proof, prove, refs_named


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


@dataclass
class Lines:
    """A directory that knows these lines by their ids. What is `away` nobody can tell now."""

    routes: dict[str, LineRoute] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    newest: dict[str, LineRoute] = field(default_factory=dict)
    """What PostgreSQL would say while a memory still says otherwise."""
    asked: list[tuple[list[str], bool]] = field(default_factory=list)

    def by_refs(self, _channel: str, refs: Sequence[str], *, certain: bool = False) -> dict[str, LineRoute | None]:
        self.asked.append((list(refs), certain))
        known = self.routes | (self.newest if certain else {})
        return {ref: known.get(ref) for ref in refs if ref not in self.away}

    def of_tenant(self, tenant_id: str) -> LineRoute | None:
        if tenant_id in self.away:
            raise DatabaseError("away")
        return route(tenant_id)

    def of_account(self, account_id: str, _number: str) -> LineRoute | None:
        if account_id in self.away:
            raise DatabaseError("away")
        return self.routes.get(account_id)


class Verifier:
    """Verifies with one secret, and counts."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.tried: list[str] = []

    def verify(self, secret: str, _raw: bytes, _signature: str | None) -> bool:
        self.tried.append(secret)
        return secret == self.secret


class Digests:
    def digest(self, secret: str) -> str:
        return f"digest of {secret}"


@dataclass
class Held:
    """Of WebContext what a proof uses."""

    verifier: Verifier
    lines: Lines = field(default_factory=Lines)
    signers: Digests = field(default_factory=Digests)

    @property
    def channels(self) -> dict[str, Any]:
        return {"whatsapp": self.verifier, "genesys": self.verifier}


def proved(secret: str, endpoint: Endpoint, raw: bytes = b"{}", lines: Lines | None = None) -> tuple[Proof, Verifier]:
    verifier = Verifier(secret)
    return prove(raw, "sha256=x", endpoint, cast(WebContext, Held(verifier, lines or Lines()))), verifier


def body(*refs: str) -> bytes:
    return b"".join(b'{"phone_number_id": "%s"}' % ref.encode() for ref in refs)


def test_an_empty_secret_is_not_even_tried() -> None:
    verifier = Verifier("")
    held = Held(verifier, Lines({"1": route(own=("",))}))
    with pytest.raises(NotProved):
        prove(body("1"), "sha256=x", endpoints.shared("whatsapp", ("", "")), cast(WebContext, held))
    assert verifier.tried == []


def test_each_secret_is_tried_once_and_eight_at_most() -> None:
    many = {str(n): route(str(n), own=(f"secret-{n}", f"secret-{n}")) for n in range(20)}
    verifier = Verifier("secret-9")
    with pytest.raises(NotProved):
        prove(body(*many), "sha256=x", endpoints.shared("whatsapp", ()), cast(WebContext, Held(verifier, Lines(many))))
    assert verifier.tried == [f"secret-{n}" for n in range(SECRETS_TRIED)]


def test_the_previous_secret_counts_as_well() -> None:
    proof, _ = proved("previous", endpoints.of_line(route(hook=("current", "previous"))))
    assert proof.signer == Signer("digest of previous", "t")


def test_a_proof_says_whose_secret_it_was() -> None:
    lines = Lines({"1": route("a", own=("a's",))})
    by_operator, _ = proved("app", endpoints.shared("whatsapp", ("app",)), body("1"), lines)
    by_tenant, _ = proved("a's", endpoints.shared("whatsapp", ("app",)), body("1"), lines)
    assert (by_operator.signer.tenant_id, by_tenant.signer.tenant_id) == (None, "a")
    hook = TenantHook("b", None, ("b's",))
    assert proved("b's", endpoints.of_tenant(hook, ("app",)))[0].signer.tenant_id == "b"
    without_own = TenantHook("b", None, ())
    assert proved("app", endpoints.of_tenant(without_own, ("app",)))[0].signer.tenant_id is None


def test_a_bound_address_asks_for_no_line_that_the_body_names() -> None:
    lines = Lines({"1": route("a", own=("a's",))})
    hook = TenantHook("b", None, ("b's",))
    with pytest.raises(NotProved):
        proved("a's", endpoints.of_tenant(hook, ("app",)), body("1"), lines)
    assert lines.asked == []


def test_nobody_is_refused_while_the_secrets_cannot_be_asked_for() -> None:
    with pytest.raises(StoreError):
        proved("a's", endpoints.shared("whatsapp", ("app",)), body("1"), Lines(away={"1"}))


@pytest.mark.parametrize(
    ("channel", "own", "expected"),
    [("whatsapp", (), ("app",)), ("whatsapp", ("mine", "old"), ("mine", "old")), ("genesys", ("mine",), ("hook",))],
)
def test_a_tenants_own_secrets_replace_the_operators(
    channel: Any, own: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert effective_secrets(channel, route(own=own), ("app",)) == expected


def test_a_line_without_any_secret_can_prove_nothing() -> None:
    assert effective_secrets("whatsapp", route(), ()) == ()
    with pytest.raises(NotProved):
        proved("", endpoints.of_line(route(hook=())))


def test_lines_are_found_without_parsing_however_they_are_written() -> None:
    written = b'{"phone_number_id":"1", "phone_number_id"\n :  "2", "phone_number_id": 3}'
    quoted = b'{"text": "\\"phone_number_id\\":\\"4\\""}'
    assert refs_named("whatsapp", quoted) == []
    assert refs_named("whatsapp", written) == ["1", "2", "3"]
    assert refs_named("genesys", b'{"id": "a", "channel": {"id": "b-c", "to": {"id": "a"}}}') == ["a", "b-c"]


def test_who_has_proved_nothing_causes_few_look_ups() -> None:
    lines = Lines()
    with pytest.raises(NotProved):
        proved("x", endpoints.shared("whatsapp", ()), body(*(str(n) for n in range(1000))), lines)
    assert lines.asked == [([str(n) for n in range(REFS_BEFORE_PROOF)], False)]


def parts(*refs: str) -> list[RawUpdate]:
    return [RawUpdate(ref, "a", {}, index) for index, ref in enumerate(refs)]


def judged(lines: Lines, endpoint: Endpoint, secret: str, *refs: str) -> Authorised:
    proof = Proof(secret, Signer("digest", None))
    return authorise(parts(*refs), proof, endpoint, cast(LineDirectory, lines))


def test_items_are_sorted_and_each_line_asked_for_once() -> None:
    lines = Lines({"mine": route("a"), "also": route("b"), "theirs": route("c", own=("c's",))}, away={"down"})
    found = judged(
        lines, endpoints.shared("whatsapp", ("app",)), "app", "mine", "theirs", "mine", "", "down", "also", "down", "no"
    )
    assert lines.asked[0] == (["mine", "theirs", "down", "also", "no"], False)
    assert [part.index for part, _ in found.accepted] == [0, 2, 5]
    assert [part.index for part in found.foreign] == [1]
    assert [part.index for part in found.unknown] == [3, 7]
    assert [part.index for part in found.undecided] == [4, 6]
    assert found.owners == {"a": ["mine"], "b": ["also"]}


def test_what_a_memory_says_against_an_item_is_asked_for_again() -> None:
    lines = Lines({"turned": route("a", own=("old",))}, newest={"turned": route("a", own=("new",)), "new": route("b")})
    found = judged(lines, endpoints.shared("whatsapp", ("new",)), "new", "turned", "new")
    assert lines.asked[1] == (["new", "turned"], True)
    assert [(part.line_ref, line.tenant_id) for part, line in found.accepted] == [("turned", "a"), ("new", "b")]


def test_an_address_bounds_what_its_secret_may_speak_for() -> None:
    lines = Lines({"1": route("a"), "2": route("b")})
    of_tenant = judged(lines, endpoints.of_tenant(TenantHook("a", None, ()), ("app",)), "app", "1", "2", "3")
    assert [part.line_ref for part, _ in of_tenant.accepted] == ["1"]
    assert ([one.line_ref for one in of_tenant.foreign], [one.line_ref for one in of_tenant.unknown]) == (["2"], ["3"])
    of_line = judged(lines, endpoints.of_line(route("a")), "hook", "integration", "", "2", "3")
    assert [part.line_ref for part, _ in of_line.accepted] == ["integration", ""]
    assert ([one.line_ref for one in of_line.foreign], [one.line_ref for one in of_line.unknown]) == (["2"], ["3"])


def test_news_of_an_account_wait_while_nobody_can_tell_its_line() -> None:
    hook = TenantHook("a", None, (), "77")
    endpoint = endpoints.of_tenant(hook, ("app",))
    assert len(judged(Lines(), endpoint, "app", "account:77").accepted) == 1
    assert len(judged(Lines(), endpoint, "app", "account:78").unknown) == 1
    assert len(judged(Lines(away={"a"}), endpoint, "app", "account:77").undecided) == 1
    shared = endpoints.shared("whatsapp", ("app",))
    assert len(judged(Lines(), shared, "app", "account:77").unknown) == 1
    assert len(judged(Lines(away={"77"}), shared, "app", "account:77").undecided) == 1


def test_at_the_shared_address_news_are_the_accounts_if_its_secret_counts() -> None:
    lines = Lines({"77": route("a"), "88": route("b", own=("own",))})
    shared = endpoints.shared("whatsapp", ("app",))
    found = judged(lines, shared, "app", "account:77", "account:88")
    assert found.owners == {"a": ["account:77"]}
    assert [one.line_ref for one in found.unknown] == ["account:88"], "the operator's app does not speak for it"
    assert judged(lines, shared, "own", "account:88").owners == {"b": ["account:88"]}


def test_a_body_may_name_so_many_lines_and_no_more() -> None:
    lines = Lines()
    with pytest.raises(OverBudget):
        judged(lines, endpoints.shared("whatsapp", ("app",)), "app", *(str(n) for n in range(MOST_REFS + 1)))
    assert lines.asked == []
