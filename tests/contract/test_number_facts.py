"""What WhatsApp is asked of a number beside its messages: how much it takes at most, and what it charged."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet

from db.audit import Author
from db.pool import Pool
from db.sealing import Cipher
from db.tenants import credentials, lines, onboarding, registry
from db.tenants.changes import Changes
from relay.actors.rate_caps import RateCapActor
from relay.core.costs import ToldCharge
from relay.core.errors import SendError
from relay.core.limits import Rates, rate_of
from relay.core.messages import Message, Person, Recipient
from relay.runtime.actor import Ping
from tests.contract.relay_side import PHONE, Relay, soon
from tests.waiting import PATIENCE, wait_until

BY = Author("test")
RATES = Rates(whatsapp_per_second=80)


@pytest.fixture
def pool(postgres: str) -> Iterator[Pool]:
    with Pool(postgres) as made:
        yield made


def on_the_phone_too(relay: Relay, *, yes: bool) -> None:
    relay.control("accounts", whatsapp={"phone_number_id": relay.number.line_ref, "is_on_biz_app": yes})


def test_a_number_that_is_on_a_phone_too_takes_20_a_second(relay: Relay) -> None:
    assert relay.meta.rate_cap(relay.number, soon()) is None
    assert "coexistence" not in {one.check for one in relay.meta.check(relay.number, soon())}
    on_the_phone_too(relay, yes=True)
    assert relay.meta.rate_cap(relay.number, soon()) == 20
    [told] = [one for one in relay.meta.check(relay.number, soon()) if one.check == "coexistence"]
    assert (told.level, "20 messages a second" in told.text) == ("ok", True)
    assert relay.genesys.rate_cap(relay.integration, soon()) is None


def test_who_may_not_see_the_number_is_told_no_cap(relay: Relay) -> None:
    stranger = replace(relay.number, credentials={**relay.number.credentials, "access_token": "nobody's"})
    with pytest.raises(SendError):
        relay.meta.rate_cap(stranger, soon())


def test_the_daemons_ask_and_the_line_is_paced_by_it(relay: Relay, pool: Pool) -> None:
    cipher, changes = Cipher([Fernet.generate_key().decode()]), Changes(pool, lambda _: None)
    tenant = registry.create(changes, BY, f"Shop {uuid.uuid4()}")
    credentials.put(changes, cipher, BY, tenant.id, "whatsapp", dict(relay.number.credentials))
    line = onboarding.create(changes, cipher, BY, tenant.id, relay.number.line_ref, str(uuid.uuid4()))
    with pool.transaction() as cursor:  # other tests' lines are not asked about
        cursor.execute("UPDATE lines SET number_asked_at = now()")
    onboarding.activate(changes, BY, tenant.id, [line.pair])

    def paced(**settings: int) -> float:
        """After the daemons have asked: messages a second. `settings`: the tenant's own."""
        onboarding.configure(changes, BY, tenant.id, line.id, settings)
        with pool.transaction() as cursor:
            cursor.execute("UPDATE lines SET number_asked_at = '-infinity' WHERE id = %s", (line.id,))
        parts = SimpleNamespace(
            pool=pool, cipher=cipher, changes=changes, channels={"whatsapp": relay.meta},
            limits=SimpleNamespace(request=PATIENCE), timers=SimpleNamespace(after=lambda *_: None),
        )  # fmt: skip
        actor = RateCapActor.start(parts)
        actor.ask(Ping(), timeout=PATIENCE)
        actor.stop()
        held = lines.accounts(pool, cipher, line.id)
        assert held
        return rate_of("whatsapp", tenant.id, "x", held.settings, RATES).per_second

    try:
        assert paced() == 80
        on_the_phone_too(relay, yes=True)
        assert paced() == 20
        assert paced(whatsapp_rate_per_second=300) == 20
        assert paced(whatsapp_rate_per_second=5) == 5, "somebody's own lower setting stays"
        relay.control("faults", meta={"token_expired": "for_good"})
        assert paced(whatsapp_rate_per_second=300) == 20, "no answer changes nothing"
        relay.control("faults", meta=None)
        on_the_phone_too(relay, yes=False)
        assert paced(whatsapp_rate_per_second=300) == 300
    finally:
        with pool.transaction() as cursor:
            cursor.execute("DELETE FROM lines WHERE id = %s", (line.id,))


def test_what_meta_says_that_it_charged(relay: Relay) -> None:
    relay.control("limits", meta={"free_service_messages": 2})
    relay.control("phone/messages", **{"from": PHONE, "text": "Hello"})
    for text in ("one", "two", "three"):
        message = Message("s", Person(PHONE), time.time(), text=text)
        request = relay.meta.render(message, str(uuid.uuid4()), Recipient("c", wa_id=PHONE), relay.number, None)
        relay.meta.send(request, relay.number, soon())
    billing, now = relay.meta.billing, int(time.time())
    assert billing

    def charged() -> list[ToldCharge]:
        return billing.charged(now - 86_400, now + 86_400, relay.number, soon())

    wait_until(lambda: sum(one.volume for one in charged()) == 3, message="all three to be delivered")
    found = {(one.category, one.type, one.country): one.volume for one in charged()}
    assert found == {("SERVICE", "FREE_CUSTOMER_SERVICE", "DE"): 2, ("SERVICE", "REGULAR", "DE"): 1}
    with pytest.raises(SendError):
        billing.charged(now, now - 1, relay.number, soon())
