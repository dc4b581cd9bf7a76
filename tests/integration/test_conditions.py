"""People and webhooks are told when something goes wrong with a line, once, and when it is over; never twice."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from standardwebhooks.webhooks import Webhook

from db.access import users
from db.access.users import User
from db.audit import Author
from db.conditions import addressees, confirming, standing
from db.conditions.addressees import MailWishes
from db.conditions.mail_links import MailLinks
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.signers import Signers
from relay.actors.conditions import ConditionsActor
from relay.actors.telling import SHARE, TellingActor
from relay.actors.told import Told
from relay.channels.mail import MailServer
from relay.channels.webhooks.client import WebhookClient
from relay.channels.webhooks.signing import new_secret
from relay.checks.line_checks import OwnInstallation
from relay.runtime.actor import Ping
from relay.runtime.commands import Tick
from tests.integration.told import World
from tests.services.certificates import Authority
from tests.services.emptying import empty
from tests.services.mail import MailProcess
from tests.unit.relay.channels.accounts import Tokens
from tests.unit.relay.channels.servers import Asked, Served, answer, serving
from tests.waiting import PATIENCE

BY = Author("test")
CIPHER = Cipher([Fernet.generate_key().decode()])
LONG = timedelta(minutes=30)


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MailProcess, MailServer]]:
    folder: Path = tmp_path_factory.mktemp("mail")
    authority = Authority(folder / "authority")
    with MailProcess(folder, "smtps", authority) as running:
        yield running, MailServer(running.url, "relay@shop.example", str(authority.ca_file))


class Telling:
    """A tenant with an admin, and the two actors of a daemon that can be made to do their work now."""

    def __init__(self, pool: Pool, running: MailProcess, server: MailServer | None) -> None:
        self.pool, self.world, self._running = pool, World(pool), running
        self.admin = users.create(pool, BY, self.world.tenant_id, f"{uuid4().hex}@shop.example", "Ada", "admin", "x")
        addressees.enrol(pool)
        self.confirm(self.admin)
        self.line = self.world.line_ids[0]
        signers = Signers(pool, CIPHER)
        self.links = MailLinks(signers, "https://relay.example")
        self.parts: Any = SimpleNamespace(
            pool=pool, cipher=CIPHER, mail=server, webhooks=WebhookClient(Tokens()),
            ours=OwnInstallation("https://relay.example"), limits=SimpleNamespace(backlog_minutes=10),
            timers=SimpleNamespace(after=lambda *_: None), signers=signers, mail_links=self.links,
        )  # fmt: skip

    def sql(self, text: str, *values: Any) -> None:
        with self.pool.autocommit() as cursor:
            cursor.execute(text, values)

    def wait(self, direction: str = "outbound", state: str = "received", **more: Any) -> str:
        """A message that has waited for long."""
        return self.world.message(
            self.world.contact(), datetime.now(UTC) - LONG, direction=direction, state=state, **more
        )

    def look(self) -> None:
        """One evaluation of everybody."""
        self.sql("UPDATE condition_round SET due_at = now(), after = '00000000-0000-0000-0000-000000000000'")
        while standing.evaluate(self.pool, 10):
            pass

    def tell(self, *, due: bool = True) -> None:
        """As if the minute for gathering were over."""
        if due:
            self.sql("UPDATE addressees SET due_at = now() WHERE due_at IS NOT NULL")
        actor = TellingActor.start(self.parts)
        actor.ask(Ping(), timeout=PATIENCE)
        while self.due():
            actor.tell(Tick())
            actor.ask(Ping(), timeout=PATIENCE)
        actor.stop()  # which waits for those that are being told

    def tidy(self) -> None:
        """What a daemon does every two minutes."""
        actor = ConditionsActor.start(self.parts)
        actor.ask(Ping(), timeout=PATIENCE)
        actor.stop()

    def confirm(self, user: User) -> None:
        with self.pool.autocommit() as cursor:
            cursor.execute("SELECT id::text FROM addressees WHERE user_id = %s", (user.id,))
            confirming.confirm(self.pool, cursor.fetchone()[0], user.email)

    def mails_to(self, email: str) -> list[Message]:
        return [one for one in self._running.mails() if one["To"] == email]

    def due(self) -> int:
        with self.pool.autocommit() as cursor:
            cursor.execute("SELECT count(*) FROM addressees WHERE due_at <= now()")
            return int(cursor.fetchone()[0])

    def gone_long(self) -> None:
        """As if what has gone had stayed away for long enough."""
        self.look()
        self.sql("UPDATE conditions SET gone_at = gone_at - interval '11 minutes' WHERE gone_at IS NOT NULL")
        self.look()

    def mails(self) -> list[Message]:
        return self.mails_to(self.admin.email)

    def open_kinds(self) -> list[str]:
        return [one.kind for one in standing.open_ones(self.pool, self.world.tenant_id)]


@pytest.fixture
def telling(pool: Pool, mail: tuple[MailProcess, MailServer]) -> Telling:
    with pool.transaction() as cursor:  # other tests' tenants and people
        empty(cursor, "tenants", "users", "audit_log", "message_tracking")
    return Telling(pool, *mail)


def test_a_backlog_is_told_once_and_its_end_once(telling: Telling) -> None:
    message_id = telling.wait()
    telling.wait(state="sent")
    for _ in range(3):
        telling.look()
        telling.tell()
    [mail] = telling.mails()
    assert "messages wait for long" in mail["Subject"]
    text = mail.get_content()  # type: ignore[attr-defined]
    assert (
        "has waited for 30 minutes" in text
        and f"https://relay.example/portal/tenants/{telling.world.tenant_id}" in text
    )
    assert message_id not in text
    telling.sql("UPDATE message_tracking SET state = 'sent' WHERE id = %s", message_id)
    telling.gone_long()
    telling.tell()
    telling.look()
    telling.tell()
    assert telling.mails()[1:] != [] and "Over: " in telling.mails()[1]["Subject"]
    assert len(telling.mails()) == 2
    assert telling.open_kinds() == []


def test_what_flaps_is_told_once(telling: Telling) -> None:
    message_id = telling.wait()
    for state in ("received", "sent", "received", "sent", "received"):
        telling.sql("UPDATE message_tracking SET state = %s WHERE id = %s", state, message_id)
        telling.look()
        telling.tell()
    assert len(telling.mails()) == 1


def test_everything_that_can_be_wrong_is_seen_and_told_in_one_mail(telling: Telling) -> None:
    tenant, line = telling.world.tenant_id, telling.line
    telling.wait()
    telling.wait(state="dead", failed_at=datetime.now(UTC))
    telling.sql("UPDATE tenant_credentials SET health = 'refused', health_reason = 'no' WHERE type = 'genesys'")
    telling.sql("INSERT INTO template_lists (tenant_id, waba_id) VALUES (%s, '1')", tenant)
    for name, status in (("order", "PAUSED"), ("sale", "DISABLED"), ("hello", "APPROVED")):
        telling.sql("INSERT INTO templates VALUES (%s, %s, 'en', %s, 'UTILITY', 'RED')", tenant, name, status)
    soon = int(datetime.now(UTC).timestamp()) + 3600
    for limit in ("TIER_10K", "TIER_2K"):
        found = [
            {"side": "whatsapp", "check": "quality", "level": "warning", "text": "RED", "limit": limit},
            {"side": "whatsapp", "check": "token_life", "level": "warning", "text": "an hour", "ends_at": soon},
            {"side": "relay", "check": "public_url", "level": "refused", "text": "not reached"},
        ]
        telling.sql(
            "INSERT INTO check_runs (line_id, tenant_id, worst, looked, findings) VALUES (%s, %s, 'refused', 9, %s)",
            line, tenant, json.dumps(found),
        )  # fmt: skip
    gone = telling.world.line()
    telling.sql("UPDATE lines SET disputed_at = now() WHERE id = %s", line)
    telling.sql("UPDATE lines SET status = 'released', released_at = now(), proven_at = now() WHERE id = %s", gone)
    telling.look()
    telling.tell()
    assert sorted(telling.open_kinds()) == [
        "backlog", "credentials_expiring", "credentials_refused", "dead_letters", "line_disputed", "line_refused",
        "line_released", "number_limit", "number_quality", "template_paused",
    ]  # fmt: skip
    [mail] = telling.mails()
    assert "10 wrong" in mail["Subject"]
    assert "Template order (en)" in mail.get_content() and "sale" not in mail.get_content()  # type: ignore[attr-defined]


def test_in_quiet_hours_nothing_is_sent_and_afterwards_it_is_summed_up(telling: Telling) -> None:
    now = datetime.now(UTC)
    begin, end = (now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time()
    addressees.wish(telling.pool, telling.admin.id, telling.world.tenant_id, MailWishes(True, begin, end, "UTC"))
    passed = telling.wait("inbound")
    telling.look()
    telling.tell()
    telling.sql("UPDATE message_tracking SET state = 'sent' WHERE id = %s", passed)
    telling.gone_long()
    telling.wait("outbound")
    telling.look()
    telling.tell()
    assert (telling.mails(), telling.due()) == ([], 0), "it is held until their end"
    addressees.wish(telling.pool, telling.admin.id, telling.world.tenant_id, MailWishes(True, None, None, "UTC"))
    telling.tell(due=False)
    [mail] = telling.mails()
    assert mail["Subject"] == "Relay: 1 wrong, 1 came and went"


def test_an_address_gets_one_mail_that_asks_and_nothing_else_before_it_is_confirmed(telling: Telling) -> None:
    stranger = users.create(telling.pool, BY, telling.world.tenant_id, f"{uuid4().hex}@else.example", "S", "admin", "x")
    for _ in range(2):
        telling.tidy()
        telling.wait()
        telling.look()
        telling.tell()
    [mail] = telling.mails_to(stranger.email)
    text = mail.get_content()  # type: ignore[attr-defined]
    assert "is this your address" in mail["Subject"] and telling.world.tenant_id not in text
    found = re.search(r"https://relay.example/portal/mail/confirm/([0-9a-f-]+)", text)
    assert found and mail["List-Unsubscribe"].startswith("<https://relay.example/portal/mail/leave/")
    assert telling.links.addressee(telling.pool, "leave", found[1]) is None, "a link does what it is for"
    held = telling.links.addressee(telling.pool, "confirm", found[1])
    assert held and held[1] == stranger.email
    addressee_id, until, proof = found[1].split("-")
    later = f"{addressee_id}-{int(until) + 1}-{proof}"
    assert telling.links.addressee(telling.pool, "confirm", later) is None, "nobody makes it last"
    confirming.confirm(telling.pool, *held)
    telling.wait("inbound")
    telling.look()
    telling.tell()
    assert "messages wait for long" in telling.mails_to(stranger.email)[1]["Subject"]


def test_an_ended_link_confirms_nothing(telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.conditions.mail_links.CONFIRM_HOURS", -1)
    with telling.pool.autocommit() as cursor:
        cursor.execute("SELECT id::text FROM addressees WHERE user_id = %s", (telling.admin.id,))
        link = telling.links.confirm(cursor.fetchone()[0], telling.admin.email)
    assert telling.links.addressee(telling.pool, "confirm", link.rpartition("/")[2]) is None


def test_few_addresses_of_a_tenant_and_each_address_seldom_are_asked(telling: Telling) -> None:
    signers, tenant = telling.parts.signers, telling.world.tenant_id
    asked = [confirming.reserve(telling.pool, signers, tenant, f"{n}@else.example") for n in range(25)]
    assert [one is not None for one in asked] == [True] * confirming.OF_TENANT + [False] * 5
    other = World(telling.pool).tenant_id
    assert confirming.reserve(telling.pool, signers, other, "1@else.example") is None, "whichever tenant enters it"
    assert confirming.reserve(telling.pool, signers, other, "24@else.example") is not None, "a share per tenant"
    for days in range(1, 4):
        telling.sql("UPDATE confirming_mails SET at = at - interval '25 hours'")
        again = confirming.reserve(telling.pool, signers, other, "24@else.example")
        assert (again is not None) == (days < confirming.OF_ADDRESS), days


def test_operators_need_not_confirm_and_who_leaves_is_told_no_more(telling: Telling) -> None:
    operator = users.create(telling.pool, BY, None, f"{uuid4().hex}@relay.example", "Op", "operator", "x")
    addressees.enrol(telling.pool)
    telling.wait()
    telling.look()
    telling.tell()
    [mail] = telling.mails_to(operator.email)
    held = telling.links.addressee(telling.pool, "leave", mail["List-Unsubscribe"].strip("<>").rpartition("/")[2])
    assert held and mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    confirming.leave(telling.pool, held[0])
    telling.wait("inbound")
    telling.look()
    telling.tell()
    assert len(telling.mails_to(operator.email)) == 1


def test_webhooks_that_hang_delay_nobody_elses(telling: Telling) -> None:
    """Those of one tenant and the operator hang until another tenant's has been told."""
    other = World(telling.pool)
    told, hung = Event(), []

    def take(_served: Served, sock: socket.socket, asked: Asked) -> bool:
        if asked.path == "/hangs":
            hung.append(asked)
            told.wait(PATIENCE)
        else:
            told.set()
        return answer(sock, {})

    with serving(take) as served:
        reached = ("", telling.world.tenant_id, other.tenant_id)
        telling.parts.webhooks = WebhookClient(Tokens(), {key: [served.url] for key in reached})
        for tenant, path in ((None, "hangs"), (telling.world.tenant_id, "hangs"), (other.tenant_id, "answers")):
            sealed = addressees.sealed_webhook(CIPHER, f"{served.url}/{path}", new_secret())
            addressees.put_webhook(telling.pool, BY, tenant, "127.0.0.1", sealed)
        telling.wait()
        other.message(other.contact(), datetime.now(UTC) - LONG, direction="outbound", state="received")
        telling.look()
        telling.sql("UPDATE addressees SET due_at = now() - interval '1 hour' WHERE due_at IS NOT NULL")
        telling.sql("UPDATE addressees SET due_at = now() WHERE tenant_id = %s", other.tenant_id)
        telling.tell(due=False)
    assert told.is_set() and len(hung) == 2
    found = addressees.webhook(telling.pool, telling.world.tenant_id)
    assert found and found.told_at


def test_one_tenant_is_told_few_at_once(telling: Telling) -> None:
    telling.wait()
    for number in range(SHARE + 1):
        one = users.create(
            telling.pool, BY, telling.world.tenant_id, f"{uuid4().hex}@shop.example", str(number), "admin", "x"
        )
        addressees.enrol(telling.pool)
        telling.confirm(one)
    telling.look()
    telling.sql("UPDATE addressees SET due_at = now() WHERE due_at IS NOT NULL")
    assert addressees.take(telling.pool, "mail", [telling.world.tenant_id]) is None
    assert addressees.take(telling.pool, "mail", [""]) is not None


def test_who_does_not_want_it_or_is_disabled_is_not_told(telling: Telling) -> None:
    addressees.wish(telling.pool, telling.admin.id, telling.world.tenant_id, MailWishes(False, None, None, "UTC"))
    other = users.create(telling.pool, BY, telling.world.tenant_id, f"{uuid4().hex}@shop.example", "B", "admin", "x")
    addressees.enrol(telling.pool)
    telling.sql("UPDATE users SET status = 'disabled' WHERE id = %s", other.id)
    telling.wait()
    telling.look()
    telling.tell()
    assert telling.mails() == [] and other.email not in {one["To"] for one in telling._running.mails()}
    addressees.wish(telling.pool, telling.admin.id, telling.world.tenant_id, MailWishes(True, time(0), time(0), "UTC"))
    telling.look()
    telling.tell()
    assert telling.mails() == [], "what began before is no news"


def test_who_is_for_some_lines_is_told_of_these_alone(telling: Telling) -> None:
    other = telling.world.line()
    telling.sql("UPDATE users SET line_ids = %s::uuid[] WHERE id = %s", [other], telling.admin.id)
    telling.world.line_ids.reverse()
    telling.wait()
    telling.look()
    telling.tell()
    assert telling.mails() == []
    telling.sql("UPDATE users SET line_ids = %s::uuid[] WHERE id = %s", [telling.line], telling.admin.id)
    telling.gone_long()
    telling.sql("UPDATE addressees SET through = 0, due_at = now()")
    telling.tell()
    assert len(telling.mails()) == 1


def test_an_operator_is_told_of_all_tenants_and_a_tenant_of_nobody_elses(telling: Telling) -> None:
    operator = users.create(telling.pool, BY, None, f"{uuid4().hex}@relay.example", "Op", "operator", "x")
    addressees.enrol(telling.pool)
    others = [World(telling.pool) for _ in range(30)]
    telling.sql("UPDATE tenant_credentials SET health = 'refused' WHERE tenant_id <> %s", telling.world.tenant_id)
    telling.look()
    telling.tell()
    assert telling.mails() == []
    [mail] = [one for one in telling._running.mails() if one["To"] == operator.email]
    assert mail["Subject"] == f"Relay: {2 * len(others)} wrong"


def test_a_mail_server_that_is_away_is_tried_again_until_a_day_has_passed(telling: Telling) -> None:
    server = telling.parts.mail
    telling.parts.mail = MailServer("smtps://localhost:1", "relay@shop.example", server.authorities)
    telling.wait()
    telling.look()
    telling.tell()
    wishes = addressees.wishes(telling.pool, telling.admin.id)
    assert wishes and "cannot be reached" in (wishes.trouble or "") and telling.due() == 0
    telling.parts.mail = server
    telling.tell()
    wishes = addressees.wishes(telling.pool, telling.admin.id)
    assert wishes and wishes.trouble is None and wishes.told_at
    assert len(telling.mails()) == 1
    telling.parts.mail = MailServer("smtps://localhost:1", "relay@shop.example", server.authorities)
    telling.wait("inbound")
    telling.look()
    telling.tell()
    telling.sql("UPDATE condition_changes SET at = now() - interval '25 hours'")
    telling.parts.mail = server
    telling.tell()
    assert len(telling.mails()) == 1, "a day later it is on the page only"
    wishes = addressees.wishes(telling.pool, telling.admin.id)
    assert wishes and wishes.trouble, "which goes on to say why nobody was told"


def test_a_daemon_that_is_killed_before_it_noted_tells_once_more_and_no_oftener(telling: Telling) -> None:
    telling.wait()
    telling.look()
    telling.sql("UPDATE addressees SET due_at = now() WHERE due_at IS NOT NULL")
    taken = addressees.take(telling.pool, "mail")
    assert taken and addressees.take(telling.pool, "mail") is None, "one daemon at a time"
    Told(telling.parts, BoundedSemaphore(1), taken)._by_mail(addressees.untold(telling.pool, taken))
    telling.tell()
    telling.tell()
    first, again = telling.mails()
    assert first["Message-ID"] == again["Message-ID"]


def test_a_webhook_is_signed_and_tried_again(telling: Telling) -> None:
    statuses = [500, 200, 200]

    def take(_served: Served, sock: socket.socket, _asked: Asked) -> bool:
        return answer(sock, {}, statuses.pop(0))

    secret = new_secret()
    with serving(take) as served:
        telling.parts.webhooks = WebhookClient(Tokens(), {telling.world.tenant_id: [served.url]})
        sealed = addressees.sealed_webhook(CIPHER, f"{served.url}/hook", secret)
        addressees.put_webhook(telling.pool, BY, telling.world.tenant_id, "127.0.0.1", sealed)
        message_id = telling.wait()
        telling.look()
        telling.tell()
        standing_now = addressees.webhook(telling.pool, telling.world.tenant_id)
        assert standing_now and standing_now.trouble == "it answered 500"
        telling.tell()
        telling.sql("UPDATE message_tracking SET state = 'sent' WHERE id = %s", message_id)
        telling.gone_long()
        telling.tell()
    first, again, over = served.asked
    assert first.headers["webhook-id"] == again.headers["webhook-id"] != over.headers["webhook-id"]
    bodies = [Webhook(secret).verify(one.body, one.headers) for one in (again, over)]
    assert [body["data"]["changes"][0]["what"] for body in bodies] == ["begun", "over"]
    assert bodies[0]["data"]["changes"][0]["kind"] == "backlog"


def test_two_daemons_do_not_evaluate_at_once_and_what_is_over_has_an_end(telling: Telling) -> None:
    telling.wait()
    telling.sql("UPDATE condition_round SET due_at = now(), after = '00000000-0000-0000-0000-000000000000'")
    with telling.pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM condition_round FOR UPDATE")
        assert standing.evaluate(telling.pool, 10) is False
        assert telling.open_kinds() == []
    actor = ConditionsActor.start(telling.parts)
    actor.ask(Ping(), timeout=PATIENCE)
    actor.stop()
    assert telling.open_kinds() == ["backlog"]
    assert standing.evaluate(telling.pool, 10) is False, "not due again"
    telling.sql("UPDATE conditions SET over_at = now() - interval '31 days', gone_at = now() - interval '31 days'")
    with telling.pool.transaction() as cursor:
        assert standing.expire(cursor) == 1
    with telling.pool.autocommit() as cursor:
        cursor.execute("SELECT count(*) FROM condition_changes")
        assert cursor.fetchone()[0] == 0
