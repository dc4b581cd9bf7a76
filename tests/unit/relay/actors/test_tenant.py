"""A tenant's actor hands out its lines' accounts as they are, and passes on what became of a file."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from db.tenants.lines import LineAccounts
from relay.actors import tenant as tenant_actor
from relay.actors.tenant import TenantActor
from relay.core.conversation.events import FilePrepared
from relay.core.errors import CannotCarry
from relay.core.languages import phrase
from relay.core.messages import Message, Person
from relay.runtime.actor import Ping
from relay.runtime.commands import Prepare, PrepareDone, PrepareNow, ReloadTenant
from tests.unit.relay.actors.listening import Listener
from tests.waiting import PATIENCE

MESSAGE = Message("m", Person("491701"), 0.0)


class Tenant:
    """With one line, whose token is what `token` says; its workers and the conversation only listen."""

    def __init__(self) -> None:
        self.token = "old"
        self.language = "en"
        self.worked: list[PrepareNow] = []
        self.heard: list[FilePrepared] = []
        self.conversation = Listener.start(self.heard)
        self.worker = Listener.start(self.worked)
        parts: Any = SimpleNamespace(pool=None, cipher=None, channels={"whatsapp": None, "genesys": None})
        self.ref = TenantActor.start(parts, "t")

    def accounts(self, *_: Any) -> LineAccounts:
        whatsapp = {"phone_number_id": "p", "access_token": self.token}
        return LineAccounts("t", "l", "active", "active", whatsapp, {"integration_id": "i"}, {}, self.language)

    def prepare(self, name: str) -> PrepareNow:
        self.ref.tell(Prepare("l", self.conversation, name, "inbound", MESSAGE))
        self.settle()
        return self.worked[-1]

    def done(self, job: Prepare, error: CannotCarry | None = None) -> FilePrepared:
        self.ref.tell(PrepareDone(job, self.worker, error))
        self.settle()
        return self.heard[-1]

    def settle(self) -> None:
        for ref in (self.ref, self.worker, self.conversation):
            ref.ask(Ping(), timeout=PATIENCE)


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenant]:
    made = Tenant()
    monkeypatch.setattr("db.tenants.lines.accounts", made.accounts)
    monkeypatch.setattr(tenant_actor, "ChannelActor", SimpleNamespace(start=lambda *_: made.worker))
    monkeypatch.setattr(tenant_actor, "MediaActor", SimpleNamespace(start=lambda *_: made.worker))
    yield made
    for ref in (made.ref, made.worker, made.conversation):
        ref.stop()


def test_a_file_is_fetched_with_the_credentials_of_its_moment(tenant: Tenant) -> None:
    first = tenant.prepare("a")
    tenant.token = "new"
    tenant.ref.tell(ReloadTenant())
    second = next(one for one in (tenant.prepare("b"), *tenant.worked) if one.job.message_id == "b")
    assert first.accounts["whatsapp"].credentials["access_token"] == "old", "what was handed out stays as it was"
    assert second.accounts["whatsapp"].credentials["access_token"] == "new"


def test_a_line_speaks_its_tenants_language_from_the_next_change_on(tenant: Tenant) -> None:
    first = tenant.prepare("a")
    tenant.language = "de"
    tenant.ref.tell(ReloadTenant())
    second = next(one for one in (tenant.prepare("b"), *tenant.worked) if one.job.message_id == "b")
    spoken = [side.say(phrase("Choose")) for one in (first, second) for side in one.accounts.values()]
    assert spoken == ["Choose", "Choose", "Auswählen", "Auswählen"]
    told = tenant.done(second.job, CannotCarry("too_large", "the file is too large"))
    assert told.say(phrase("image")) == "Bild"


def test_who_waits_for_a_file_hears_how_long_ago_another_of_its_line_went_through(tenant: Tenant) -> None:
    refused = CannotCarry("too_large", "the file is too large")
    alone = tenant.done(tenant.prepare("a").job, refused)
    assert (alone.message_id, alone.error, alone.worked_ago) == ("a", refused, float("inf"))
    assert tenant.done(tenant.prepare("b").job).error is None
    assert tenant.done(tenant.prepare("c").job, refused).worked_ago < PATIENCE
