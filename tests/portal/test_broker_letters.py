"""The operator's page of what no daemon could take in: why, whose, and putting it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from relay.broker import topology
from relay.broker.publisher import Outgoing
from relay.core.messages import Update, dump
from relay.core.queues import DEAD_LETTERS
from tests.portal.client import Person
from tests.portal.conftest import new_user
from tests.portal.rows import House
from tests.waiting import wait_until
from web.portal.messages import broker_letters
from web.request.web_context import WebContext

Put = Callable[[bytes, str], None]
PAGE = "/portal/not-taken-in"
ODD, LONG = "ValueError: odd", "DataError: too long"


@pytest.fixture(scope="module")
def parts(app: Flask) -> WebContext:
    found: WebContext = app.extensions["relay"]
    return found


@pytest.fixture(scope="module")
def olga(app: Flask, house: House) -> Person:
    new_user(house.pool, "olga@operator.example", "operator")
    return Person(app, "olga@operator.example")


@pytest.fixture
def queued(parts: WebContext) -> Iterator[Put]:
    """Puts an update into DEAD_LETTERS, as a daemon does."""

    def put(body: bytes, reason: str) -> None:
        parts.publisher.publish([Outgoing("", DEAD_LETTERS, body, {"reason": reason})], 10)

    yield put
    parts.dead_letters.bring_back(lambda _: Outgoing("", DEAD_LETTERS + "_gone", b""), lambda _: None, 1000)


@pytest.fixture
def update(parts: WebContext, house: House) -> Callable[[int], bytes]:
    signer = parts.signers.digest(parts.meta_app_secret)

    def made(index: int) -> bytes:
        payload = {"n": index, "access_token": "EAAGsecretsecret"}
        return dump(Update("whatsapp", house.tenant_id, house.line_id, "49", 1.79e9, index, payload, signer=signer))

    return made


def waiting(parts: WebContext, settings_env: dict[str, str], count: int) -> None:
    wait_until(lambda: topology.waiting(settings_env["BROKER_URL"], parts.shards) == count, message="them to go")


def test_what_could_not_be_taken_in_is_shown_by_reason_and_the_chosen_ones_go_back(
    olga: Person, admin: Person, house: House, parts: WebContext, settings_env: dict[str, str],
    queued: Put, update: Callable[[int], bytes],
) -> None:  # fmt: skip
    assert "Everything was taken in" in olga.get(PAGE)
    before = topology.waiting(settings_env["BROKER_URL"], parts.shards)
    for index, reason in enumerate((ODD, ODD, LONG)):
        queued(update(index), reason)
    queued(b"nothing that anybody can read", ODD)
    page = olga.get(PAGE)
    assert house.name in page
    assert "EAAGsecretsecret" not in page
    assert page.count('name="id"') == 3, "what cannot go back cannot be marked"
    assert "<strong>3</strong> ValueError: odd" in page
    of_one = olga.get(f"{PAGE}?reason={LONG}")
    [chosen] = [part.split('"')[0] for part in of_one.split('name="id" value="')[1:]]
    page = olga.follow(f"{PAGE}/replay", {"id": chosen})
    assert "1 update is back in its queue" in page
    waiting(parts, settings_env, before + 1)
    assert LONG not in olga.get(PAGE)
    assert "Put back lately" in page
    admin.get(PAGE, status=403)


def test_all_go_back_step_by_step_and_what_cannot_go_stays(
    olga: Person, parts: WebContext, settings_env: dict[str, str], queued: Put, update: Callable[[int], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(broker_letters, "STEP", 2)
    before = topology.waiting(settings_env["BROKER_URL"], parts.shards)
    queued(b"nothing that anybody can read", ODD)
    for index in range(10, 13):
        queued(update(index), ODD)
    assert "Put 4 updates back into their queues?" in olga.get(f"{PAGE}/replay-all")
    step = {"reason": "", "total": "3", "gone": "0"}
    page = olga.post(f"{PAGE}/replay-all", step, status=200)
    assert "2 of about 3 are back in their queues" in page
    assert "data-goes-on" in page
    page = olga.follow(f"{PAGE}/replay-all", step | {"gone": "2"})
    assert "3 updates are back in their queues" in page
    assert "1 update is still here" in page
    waiting(parts, settings_env, before + 3)
