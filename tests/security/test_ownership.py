"""Nobody gets a number or an integration that is not theirs, and nobody is kept from their own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gevent
import pytest
from gevent.event import Event

from db.tenants import lines, onboarding, ownership
from db.tenants.changes import Changes, NotFoundError
from db.tenants.onboarding import Line
from db.tenants.ownership import Owner
from relay.channels.base import Account, Channel, Expected, Finding
from relay.checks.line_checks import OwnInstallation
from relay.checks.owners import OwnerCheck, Owners
from relay.checks.ownership import Ownership
from tests.api.conftest import Api
from tests.security.conftest import Control
from tests.waiting import PATIENCE
from web.request.web_context import WebContext

LOOK_UPS = {"meta": ["phone_number", "phone_numbers"], "genesys": ["integrations"]}
TROUBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "a rate limit of Meta's": ("meta", {"error_rate": 1, "error_codes": [4]}),
    "a missing permission at Meta": ("meta", {"error_rate": 1, "error_codes": [200]}),
    "an error at Meta": ("meta", {"error_rate": 1, "error_codes": [500]}),
    "no answer from Meta": ("meta", {"drop_rate": 1}),
    "somebody else's answer for Meta": ("meta", {"html_502_rate": 1}),
    "a missing permission at Genesys": ("genesys", {"error_rate": 1, "error_codes": [403]}),
    "a rate limit of Genesys'": ("genesys", {"error_rate": 1, "error_codes": [429]}),
    "an error at Genesys": ("genesys", {"error_rate": 1, "error_codes": [500]}),
    "no answer from Genesys": ("genesys", {"drop_rate": 1}),
}


@dataclass
class Business:
    """An account at both providers, with two numbers and two integrations, of which the first go live."""

    whatsapp: dict[str, str]
    genesys: dict[str, str]
    spare_number: str
    spare_integration: str


@pytest.fixture
def business(control: Control) -> Callable[[str], Business]:
    def make(name: str) -> Business:
        secret, waba, client = secrets.token_hex(12), digits(), secrets.token_hex(8)
        whatsapp = {"phone_number_id": digits(), "waba_id": waba, "access_token": f"EAAG-{secret}"}
        genesys = {
            "client_id": client,
            "client_secret": f"client-{secret}",
            "integration_id": secrets.token_hex(16),
            "webhook_secret": f"webhook-{secret}",
        }
        made = Business(whatsapp, {"region": "mypurecloud.de"} | genesys, digits(), secrets.token_hex(16))
        for number, integration in (
            (whatsapp["phone_number_id"], genesys["integration_id"]),
            (made.spare_number, made.spare_integration),
        ):
            account = {
                "whatsapp": {**whatsapp, "phone_number_id": number},
                "genesys": {**genesys, "integration_id": integration, "organisation": name},
            }
            control("POST", "/accounts", account)
        return made

    return make


def digits() -> str:
    return str(10**14 + secrets.randbelow(9 * 10**14))


@dataclass
class House:
    """Asks the relay as its operator, and looks at what became of it."""

    api: Api
    parts: WebContext

    def tenant(self, name: str, whatsapp: dict[str, str], genesys: dict[str, str]) -> str:
        tenant_id: str = self.api("POST", "/api/tenants", {"name": name}).get_json()["id"]
        for side, values in (("whatsapp", whatsapp), ("genesys", genesys)):
            put = self.api("PUT", f"/api/tenants/{tenant_id}/{side}/credentials", values)
            assert put.status_code == 200, put.get_data(as_text=True)
        return tenant_id

    def complete(self, tenant_id: str) -> Any:
        return self.api("POST", f"/api/tenants/{tenant_id}/complete-onboarding")

    def live(self, name: str, own: Business) -> str:
        tenant_id = self.tenant(name, own.whatsapp, own.genesys)
        answer = self.complete(tenant_id)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return tenant_id

    def line(self, tenant_id: str) -> Line:
        [line] = onboarding.listed(self.parts.pool, tenant_id)
        return line

    def owner(self, number: str) -> str | None:
        found = lines.route_by_ref(self.parts.pool, self.parts.cipher, "whatsapp", number)
        return found.tenant_id if found else None

    def later(self, tenant_id: str, column: str = "ask_at", ago: str = "1 second") -> None:
        """Time has passed for the lines of a tenant."""
        with self.parts.pool.transaction() as cursor:
            cursor.execute(
                f"UPDATE lines SET {column} = now() - %s::interval WHERE tenant_id = %s AND {column} IS NOT NULL",
                (ago, tenant_id),
            )

    def ask_again(self, tenant_id: str) -> Line:
        """What a daemon does when the line's time has come."""
        self.later(tenant_id)
        changes = Changes(self.parts.pool, self.parts.cache.forget_routes)
        asking = Ownership(Owners(changes, self.parts.cipher, self.parts.channels, checks_ours(self.parts)))
        for due in ownership.take_due(self.parts.pool, 60):
            asking.ask_again(due)
        return self.line(tenant_id)

    def told(self, tenant_id: str | None) -> list[str]:
        """The actions in a tenant's audit log, or in the operator's."""
        with self.parts.pool.autocommit() as cursor:
            cursor.execute(
                "SELECT action FROM audit_log WHERE tenant_id IS NOT DISTINCT FROM %s ORDER BY id", (tenant_id,)
            )
            return [row[0] for row in cursor.fetchall()]


def checks_ours(parts: WebContext) -> Any:
    return OwnInstallation(parts.public_url, parts.meta_app_secrets)


@pytest.fixture
def house(api: Api, parts: WebContext) -> House:
    return House(api, parts)


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_number_is_not_activated_while_nobody_can_say_whose_it_is(
    house: House, business: Callable[[str], Business], control: Control, trouble: str
) -> None:
    own = business("Owner")
    number = own.whatsapp["phone_number_id"]
    tenant_id = house.tenant("Owner", own.whatsapp, own.genesys)
    side, settings = TROUBLE[trouble]
    control("POST", "/faults", {side: settings | {"calls": LOOK_UPS[side]}})
    answer = house.complete(tenant_id)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    [shown] = answer.get_json()["lines"]
    assert (answer.get_json()["status"], shown["status"], house.owner(number)) == ("onboarding", "pending", None)
    assert shown["ask_at"] is not None
    assert {"meta": "WhatsApp: ", "genesys": "Genesys: "}[side] in shown["status_reason"]
    still = house.ask_again(tenant_id)
    assert (still.status, house.owner(number)) == ("pending", None)
    control("DELETE", "/faults")
    proved = house.ask_again(tenant_id)
    assert (proved.status, proved.ask_at, proved.status_reason) == ("active", None, None)
    assert house.owner(number) == tenant_id


def test_a_stranger_does_not_get_a_number_while_meta_answers_nobody(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    """With a token of its own and the operator's app: it is told to wait, and refused when Meta speaks again."""
    own, strange = business("Owner"), business("Stranger")
    number = own.whatsapp["phone_number_id"]
    stranger = house.tenant("Stranger", strange.whatsapp | {"phone_number_id": number}, strange.genesys)
    control("POST", "/faults", {"meta": {"error_rate": 1, "error_codes": [4], "calls": LOOK_UPS["meta"]}})
    assert house.complete(stranger).status_code == 202
    assert house.owner(number) is None
    control("DELETE", "/faults")
    owner = house.live("Owner", own)
    refused = house.ask_again(stranger)
    assert (refused.status, refused.ask_at) == ("refused", None)
    assert "somebody else's" in (refused.status_reason or "")
    assert house.owner(number) == owner


@pytest.mark.parametrize(
    ("side", "permission"), [("whatsapp", "whatsapp_business_management"), ("genesys", "messaging:integration:view")]
)
def test_what_the_credentials_may_not_see_is_not_taken_on_trust(
    house: House, business: Callable[[str], Business], control: Control, side: str, permission: str
) -> None:
    own = business("Narrow")
    changes: dict[str, dict[str, Any]] = {
        "whatsapp": {"scopes": ["whatsapp_business_messaging"]},
        "genesys": {"permissions": []},
    }
    ids = {"whatsapp": "phone_number_id", "genesys": "integration_id"}
    credentials = {"whatsapp": own.whatsapp, "genesys": own.genesys}[side]
    control("POST", "/accounts", {side: {ids[side]: credentials[ids[side]], **changes[side]}})
    tenant_id = house.tenant("Narrow", own.whatsapp, own.genesys)
    answer = house.complete(tenant_id)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    [shown] = answer.get_json()["lines"]
    assert (shown["status"], permission in shown["status_reason"]) == ("pending", True)


def test_ids_changed_while_they_were_checked_are_not_activated(
    house: House, business: Callable[[str], Business], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proof of one's own number must not bring another one live: the row is changed while Meta is asked."""
    own, other = business("Sly"), business("Owner")
    tenant_id = house.tenant("Sly", own.whatsapp, own.genesys)
    asked, changed = Event(), Event()
    meta: Channel = house.parts.channels["whatsapp"]
    real = meta.check

    def slow(account: Account, deadline: float, expected: Expected) -> list[Finding]:
        found = real(account, deadline, expected)
        asked.set()
        assert changed.wait(PATIENCE)
        return found

    monkeypatch.setattr(meta, "check", slow)
    answer = gevent.spawn(house.complete, tenant_id)
    assert asked.wait(PATIENCE)
    line = house.line(tenant_id)
    changes = Changes(house.parts.pool, house.parts.cache.forget_routes)
    stolen = other.whatsapp["phone_number_id"]
    onboarding.repair(changes, ownership.RELAY, line.id, tenant_id, stolen, own.genesys["integration_id"])
    changed.set()
    house.api.error(answer.get(timeout=PATIENCE), 409, "line_changed")
    assert (house.line(tenant_id).status, house.owner(stolen)) == ("pending", None)
    with pytest.raises(NotFoundError):
        onboarding.activate(changes, ownership.RELAY, tenant_id, [line.pair])


def moved(control: Control, own: Business, to: Business) -> dict[str, str]:
    """The number is at another business account now. The credentials that the new owner enters."""
    number = own.whatsapp["phone_number_id"]
    control("POST", "/accounts", {"whatsapp": {**to.whatsapp, "phone_number_id": number}})
    return to.whatsapp | {"phone_number_id": number}


def shared(control: Control, own: Business, to: Business) -> dict[str, str]:
    """Somebody else's token sees the number as well, as a partner's does. The credentials that the other enters."""
    number, token = own.whatsapp["phone_number_id"], to.whatsapp["access_token"]
    control("POST", "/accounts", {"whatsapp": {"phone_number_id": number, "further_tokens": [token]}})
    return {"phone_number_id": number, "waba_id": own.whatsapp["waba_id"], "access_token": token}


def test_a_number_is_not_taken_from_an_owner_whose_proof_holds(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    own, other = business("Owner"), business("Partner")
    number = own.whatsapp["phone_number_id"]
    owner = house.live("Owner", own)
    partner = house.tenant("Partner", shared(control, own, other), other.genesys)
    error = house.api.error(house.complete(partner), 409, "number_taken")
    assert owner not in str(error)
    assert "Owner" not in str(error)
    assert house.owner(number) == owner
    assert house.line(partner).status == "refused"
    assert house.line(owner).status == "active"


@pytest.mark.parametrize("code", [4, 500])
def test_a_number_is_not_taken_while_its_owner_cannot_be_looked_up(
    house: House, business: Callable[[str], Business], control: Control, code: int
) -> None:
    own, other = business("Owner"), business("Partner")
    number, token = own.whatsapp["phone_number_id"], own.whatsapp["access_token"]
    owner = house.live("Owner", own)
    partner = house.tenant("Partner", shared(control, own, other), other.genesys)
    broken = {"error_rate": 1, "error_codes": [code], "calls": LOOK_UPS["meta"], "only": [token]}
    control("POST", "/faults", {"meta": broken})
    answer = house.complete(partner)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert "could not be looked up" in answer.get_json()["lines"][0]["status_reason"]
    assert house.ask_again(partner).status == "pending"
    assert house.owner(number) == owner
    control("DELETE", "/faults")
    assert house.ask_again(partner).status == "refused"
    assert house.owner(number) == owner


def test_a_number_is_not_taken_at_once_from_an_owner_whose_token_ended(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    """A refused token does not say whose the number is: the owner is told, and has a day."""
    own, other = business("Owner"), business("Partner")
    number = own.whatsapp["phone_number_id"]
    owner = house.live("Owner", own)
    partner = house.tenant("Partner", shared(control, own, other), other.genesys)
    control("POST", "/accounts", {"whatsapp": {"phone_number_id": number, "access_token": "EAAG-renewed"}})
    broken_from_now = own.whatsapp | {"access_token": "EAAG-no-longer-good"}
    house.api("PUT", f"/api/tenants/{owner}/whatsapp/credentials", broken_from_now)
    answer = house.complete(partner)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert "24 hours" in answer.get_json()["lines"][0]["status_reason"]
    assert house.owner(number) == owner
    assert "line.disputed" in house.told(owner)
    notices = house.api("GET", f"/api/tenants/{owner}/notices").get_json()["items"]
    assert [one["kind"] for one in notices] == ["line_disputed"]
    assert house.ask_again(partner).status == "pending"
    house.later(owner, "disputed_at", "25 hours")
    assert house.ask_again(partner).status == "active"
    assert house.owner(number) == partner


def test_a_number_is_not_taken_for_a_token_that_ended_twice_with_good_months_between(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    """Nobody asked meanwhile, so nobody saw that the owner's proof held."""
    own, other = business("Owner"), business("Partner")
    owner = house.live("Owner", own)
    partner = house.tenant("Partner", shared(control, own, other), other.genesys)
    house.api("PUT", f"/api/tenants/{owner}/whatsapp/credentials", own.whatsapp | {"access_token": "EAAG-wrong"})
    assert house.complete(partner).status_code == 202
    house.later(owner, "disputed_at", "90 days")
    house.later(owner, "dispute_seen_at", "90 days")
    assert house.ask_again(partner).status == "pending"
    assert house.owner(own.whatsapp["phone_number_id"]) == owner


def test_an_owner_that_enters_a_good_token_in_time_keeps_the_number(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    own, other = business("Owner"), business("Partner")
    owner = house.live("Owner", own)
    partner = house.tenant("Partner", shared(control, own, other), other.genesys)
    house.api("PUT", f"/api/tenants/{owner}/whatsapp/credentials", own.whatsapp | {"access_token": "EAAG-wrong"})
    assert house.complete(partner).status_code == 202
    house.api("PUT", f"/api/tenants/{owner}/whatsapp/credentials", own.whatsapp)
    house.later(owner, "disputed_at", "25 hours")
    assert house.ask_again(partner).status == "refused"
    assert house.owner(own.whatsapp["phone_number_id"]) == owner


def test_a_number_that_moved_is_not_kept_by_its_former_owner(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    own, other = business("Former"), business("New")
    number = own.whatsapp["phone_number_id"]
    former = house.live("Former", own)
    new = house.tenant("New", moved(control, own, other), other.genesys)
    answer = house.complete(new)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert house.owner(number) == new
    released = house.line(former)
    assert (released.status, released.released_at is not None) == ("released", True)
    assert "New" not in (released.status_reason or "")
    assert new not in str([released.status_reason, house.told(former)])
    assert house.told(former)[-1] == "line.released"
    assert "line.transferred" in house.told(None)
    route = lines.route_by_line_key(house.parts.pool, house.parts.cipher, released.webhook_key)
    assert route is None, "its webhooks are not relayed to it any more"


def test_an_integration_that_moved_is_not_kept_by_its_former_owner(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    own, other = business("Former"), business("New")
    integration = own.genesys["integration_id"]
    former = house.live("Former", own)
    control("POST", "/accounts", {"genesys": {"integration_id": integration, "client_id": other.genesys["client_id"]}})
    new = house.tenant("New", other.whatsapp, other.genesys | {"integration_id": integration})
    assert house.complete(new).status_code == 200
    assert (house.line(former).status, house.line(new).status) == ("released", "active")


def test_of_two_that_ask_at_once_for_a_number_that_moved_only_one_gets_it(
    house: House, business: Callable[[str], Business], control: Control
) -> None:
    own, first, second = business("Former"), business("First"), business("Second")
    number = own.whatsapp["phone_number_id"]
    house.live("Former", own)
    values = moved(control, own, first)
    token = second.whatsapp["access_token"]
    control("POST", "/accounts", {"whatsapp": {"phone_number_id": number, "further_tokens": [token]}})
    asking = [
        house.tenant("First", values, first.genesys),
        house.tenant("Second", values | {"access_token": token}, second.genesys),
    ]
    answers = [gevent.spawn(house.complete, one) for one in asking]
    gevent.joinall(answers, timeout=PATIENCE * 2)
    assert sorted(one.get(block=False).status_code for one in answers) == [200, 409]
    assert house.owner(number) in asking


def test_who_asks_while_a_number_passes_on_is_told_that_it_is_taken(
    house: House, business: Callable[[str], Business], control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former owner's line is released after the second has seen it, and before its credentials are asked."""
    own, first, second = business("Former"), business("First"), business("Second")
    number, token = own.whatsapp["phone_number_id"], second.whatsapp["access_token"]
    house.live("Former", own)
    values = moved(control, own, first)
    control("POST", "/accounts", {"whatsapp": {"phone_number_id": number, "further_tokens": [token]}})
    winner = house.tenant("First", values, first.genesys)
    late = house.tenant("Second", values | {"access_token": token}, second.genesys)
    asking, passed, real = Event(), Event(), Owners.asked

    def slow(owners: Owners, found: Sequence[Owner]) -> dict[Owner, OwnerCheck]:
        if not asking.is_set():
            asking.set()
            assert passed.wait(PATIENCE)
        return real(owners, found)

    monkeypatch.setattr(Owners, "asked", slow)
    answer = gevent.spawn(house.complete, late)
    assert asking.wait(PATIENCE)
    assert house.complete(winner).status_code == 200
    passed.set()
    house.api.error(answer.get(timeout=PATIENCE), 409, "number_taken")
    assert house.owner(number) == winner


def test_a_released_line_is_not_brought_back_by_its_tenants_other_lines(
    house: House, business: Callable[[str], Business]
) -> None:
    own = business("Former")
    tenant_id = house.live("Former", own)
    line = house.line(tenant_id)
    answer = house.api("POST", f"/api/tenants/{tenant_id}/lines/{line.id}/release", {"reason": "it moved"})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.get_json()["status"], answer.get_json()["status_reason"]) == ("released", "it moved")
    spare = {"phone_number_id": own.spare_number, "integration_id": own.spare_integration}
    house.api("POST", f"/api/tenants/{tenant_id}/lines", spare)
    assert house.complete(tenant_id).status_code == 200
    assert house.owner(own.whatsapp["phone_number_id"]) is None
    assert house.owner(own.spare_number) == tenant_id
    again = house.api("POST", f"/api/tenants/{tenant_id}/lines/{line.id}/release", {})
    house.api.error(again, 409, "line_released")


def test_a_tenant_does_not_release_lines(house: House, business: Callable[[str], Business]) -> None:
    tenant_id = house.live("Owner", business("Owner"))
    key = house.api("POST", f"/api/tenants/{tenant_id}/keys", {"name": "k", "scopes": ["tenants:write"]}).get_json()
    path = f"/api/tenants/{tenant_id}/lines/{house.line(tenant_id).id}/release"
    house.api.error(house.api("POST", path, {}, key=key["key"]), 403, "forbidden")
    assert house.line(tenant_id).status == "active"
