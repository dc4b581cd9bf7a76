"""What a proved body may do: which of its updates are taken, for which line.

A signature authorises exactly the lines whose effective secret verifies the whole body. What is nobody's is kept with
its signer; what is somebody else's is dropped, and told to whom it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from db.pool import DatabaseError
from db.tenants.lines import LineRoute, effective_secrets
from relay.channels.base import ACCOUNT, account_and_number
from relay.channels.raw_update import RawUpdate
from web.webhooks.budget import MOST_REFS, OverBudget
from web.webhooks.endpoint import Endpoint
from web.webhooks.lines import LineDirectory
from web.webhooks.proof import Proof

RECHECKED = 8
"""Lines of others whose secrets are asked for anew: what a memory says may be older than a rotation."""


@dataclass(frozen=True, slots=True)
class LineDecision:
    """Of all updates that name one line. `route` is the line that takes them."""

    kind: Literal["accepted", "unknown", "foreign", "undecided"]
    route: LineRoute | None = None


UNKNOWN, FOREIGN, UNDECIDED = LineDecision("unknown"), LineDecision("foreign"), LineDecision("undecided")


@dataclass(slots=True)
class Authorised:
    """Every update of a body is in exactly one of these."""

    accepted: list[tuple[RawUpdate, LineRoute]] = field(default_factory=list)
    unknown: list[RawUpdate] = field(default_factory=list)
    foreign: list[RawUpdate] = field(default_factory=list)
    undecided: list[RawUpdate] = field(default_factory=list)

    @property
    def owners(self) -> dict[str, list[str]]:
        """Tenant id to the line refs it has in this webhook."""
        found: dict[str, dict[str, None]] = {}
        for part, route in self.accepted:
            found.setdefault(route.tenant_id, {})[part.line_ref] = None
        return {tenant_id: list(refs) for tenant_id, refs in found.items()}

    @property
    def one_owner(self) -> bool:
        """The whole body is one tenant's, so that it may have it as it came."""
        return len(self.owners) == 1 and not self.unknown and not self.foreign


def authorise(updates: Sequence[RawUpdate], proof: Proof, endpoint: Endpoint, lines: LineDirectory) -> Authorised:
    """Each line that is named is judged once. Raises OverBudget when there are too many."""
    refs = list(dict.fromkeys(update.line_ref for update in updates))
    if len(refs) > MOST_REFS:
        raise OverBudget(f"it names more than {MOST_REFS} lines")
    routes = _routes(refs, proof, endpoint, lines)
    decisions = {ref: _decided(ref, routes, proof, endpoint, lines) for ref in refs}
    found = Authorised()
    for update in updates:
        decision = decisions[update.line_ref]
        if decision.route is not None:
            found.accepted.append((update, decision.route))
        else:
            getattr(found, decision.kind).append(update)
    return found


def _routes(refs: list[str], proof: Proof, endpoint: Endpoint, lines: LineDirectory) -> dict[str, LineRoute | None]:
    """Whose each is; what nobody can tell now is left out. "Nobody's" is PostgreSQL's own word, and of this moment."""
    named = [ref for ref in refs if ref and not ref.startswith(ACCOUNT)]
    known = lines.by_refs(endpoint.channel, named)
    nobodys = [ref for ref, route in known.items() if route is None]
    others = [ref for ref, route in known.items() if route and not _covers(route, proof, endpoint)]
    doubtful = [*nobodys, *others[:RECHECKED]]
    sure = lines.by_refs(endpoint.channel, doubtful, certain=True)
    return {ref: route for ref, route in known.items() if ref not in doubtful} | sure


def _covers(route: LineRoute, proof: Proof, endpoint: Endpoint) -> bool:
    if endpoint.line is not None:
        return route.line_id == endpoint.line.line_id
    if endpoint.tenant is not None:
        return route.tenant_id == endpoint.tenant.tenant_id
    return proof.secret in effective_secrets(endpoint.channel, route, endpoint.app_secrets)


def _decided(
    ref: str, routes: dict[str, LineRoute | None], proof: Proof, endpoint: Endpoint, lines: LineDirectory
) -> LineDecision:
    if endpoint.line is not None and ref in ("", endpoint.line.integration_id):
        return LineDecision("accepted", endpoint.line)
    if ref.startswith(ACCOUNT):
        return _of_account(ref, proof, endpoint, lines)
    if not ref:
        return UNKNOWN
    if ref not in routes:
        return UNDECIDED
    route = routes[ref]
    if route is None:
        return UNKNOWN
    return LineDecision("accepted", route) if _covers(route, proof, endpoint) else FOREIGN


def _of_account(ref: str, proof: Proof, endpoint: Endpoint, lines: LineDirectory) -> LineDecision:
    """News of an account are the tenant's at whose address they came, or at the shared one whose the account is.

    In both cases the account is the tenant's own, and the secret counts for its line. What is about one number goes to
    its line. Of a number that is none of the tenant's lines the first line tells.
    """
    hook = endpoint.tenant
    account_id, number = account_and_number(ref)
    try:
        if hook is None:
            route = lines.of_account(account_id, number)
        elif not hook.account_id or account_id != hook.account_id:
            return UNKNOWN
        else:
            own = lines.of_number(hook.tenant_id, number) if number else None
            route = own or lines.of_tenant(hook.tenant_id)
    except DatabaseError:
        return UNDECIDED
    if route is None or not _covers(route, proof, endpoint):
        return UNKNOWN
    return LineDecision("accepted", route)
