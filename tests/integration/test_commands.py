"""`relay users` and `relay dead-letters`, run as an operator runs them."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from conf.loading import load_settings
from db.access import guesses, password_rules, passwords, second_factor, users
from db.access.guesses import Source
from db.audit import Author
from db.mailbox import replay_steps
from db.pool import Pool
from db.sealing import Cipher
from db.tenants.signers import Signers
from db.views import audit_search
from db.views.audit_search import AuditSearch
from relay.broker.publisher import Outgoing, Publisher
from relay.broker.topology import declare
from relay.cli.erasing import erase
from relay.clients import build_cipher
from relay.core.messages import Update, dump
from relay.core.queues import DEAD_LETTERS
from tests.integration.rows import NOW, sent_message
from tests.integration.test_operator import relay


def said(env: dict[str, str], *command: str, code: int = 0) -> str:
    done = relay(env, *command)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def test_the_first_operator(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    told = said(settings_env, "users", "add", "Olga@Demo.example", "--operator")
    password = re.search(r"password, told only now: (\S+)", told)
    user = users.by_email(pool, "olga@demo.example")
    assert user
    assert password
    assert passwords.matches(user.password_hash, password[1])
    assert (user.role, user.must_change, user.tenant_id) == ("operator", True, None)
    assert "already" in said(settings_env, "users", "add", "olga@demo.example", "--operator", code=1)
    assert "not an e-mail address" in said(settings_env, "users", "add", "olga", "--operator", code=1)
    noted = audit_search.listed(pool, AuditSearch(None)).items
    assert [one.actor for one in noted if one.action == "user.created"] == ["command line"]


def test_an_emergency_password_admits_for_an_hour(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    said(settings_env, "users", "add", "eve@demo.example", "--operator")
    told = said(settings_env, "users", "emergency", "eve@demo.example")
    password, user = re.search(r"told only now: (\S+)", told), users.by_email(pool, "eve@demo.example")
    assert user
    assert password
    assert passwords.matches(user.password_hash, password[1])
    assert password_rules.admits(pool, user, installation=False)
    assert "there is no user" in said(settings_env, "users", "emergency", "nobody@demo.example", code=1)
    noted = audit_search.listed(pool, AuditSearch(None)).items
    assert [one.subject for one in noted if one.action == "user.emergency"] == [user.id]


def test_a_tenants_user_is_listed_and_unlocked(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    with pool.autocommit() as cursor:
        cursor.execute("SELECT tenant_id FROM lines WHERE id = %s", (line_id,))
        tenant_id = str(cursor.fetchone()[0])
    said(settings_env, "users", "add", "ada@x.example", "--tenant", tenant_id, "--role", "viewer", "--name", "Ada")
    user = users.by_email(pool, "ada@x.example")
    assert user
    for number in range(guesses.STRANGERS_FREE_FAILURES):
        guesses.begin(pool, user.id, Source(f"network:{number}", known=False))
    listed = said(settings_env, "users", "list")
    assert re.search(rf"ada@x\.example +viewer +locked +password only +{tenant_id}", listed)
    assert "may try again" in said(settings_env, "users", "unlock", "ADA@x.example")
    assert re.search(r"ada@x\.example +viewer +active", said(settings_env, "users", "list"))
    assert "there is no user" in said(settings_env, "users", "unlock", "nobody@x.example", code=1)
    nowhere = "0b9fb2bc-52b6-4a4c-9a9d-9d4b1d0b5a10"
    wrong = said(settings_env, "users", "add", "b@x.example", "--tenant", nowhere, "--role", "admin", code=1)
    assert "there is no tenant" in wrong


def test_a_lost_phone_and_a_password_that_was_not_used_in_time(settings_env: dict[str, str], pool: Pool) -> None:
    said(settings_env, "users", "add", "eva@x.example", "--operator")
    user = users.by_email(pool, "eva@x.example")
    assert user
    second_factor.set_up(
        pool, Cipher([settings_env["CREDENTIALS_KEYS"]]), Author("test"), user, "A" * 32, 0, str(uuid4())
    )
    with pool.transaction() as cursor:
        cursor.execute("UPDATE users SET password_until = now() WHERE id = %s", (user.id,))
    assert re.search(r"eva@x\.example +operator +expired +second factor", said(settings_env, "users", "list"))
    assert "password alone" in said(settings_env, "users", "reset-second-factor", "eva@x.example")
    told = said(settings_env, "users", "new-password", "eva@x.example")
    assert re.search(r"eva@x\.example +operator +active +password only", said(settings_env, "users", "list"))
    now = users.by_email(pool, "eva@x.example")
    assert now
    assert passwords.matches(now.password_hash, told.split()[-1])
    noted = [one.action for one in audit_search.listed(pool, AuditSearch(None)).items if one.subject == user.id]
    assert noted[:2] == ["user.password", "user.second_factor_removed"]
    for command in ("reset-second-factor", "new-password"):
        assert "there is no user" in said(settings_env, "users", command, "nobody@x.example", code=1)


@pytest.mark.parametrize("options", [(), ("--operator", "--role", "admin"), ("--role", "admin")])
def test_who_it_is_has_to_be_said(settings_env: dict[str, str], options: tuple[str, ...]) -> None:
    assert "--operator, or --tenant" in said(settings_env, "users", "add", "c@x.example", *options, code=2)


def test_an_erasure_begins_from_the_command_line(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    with pool.transaction() as cursor:
        cursor.execute("SELECT tenant_id FROM lines WHERE id = %s", (line_id,))
        tenant_id = str(cursor.fetchone()[0])
    lines = erase(load_settings(settings_env), tenant_id, "+4915112345678")
    assert "has begun" in next(lines)
    lines.close()  # type: ignore[attr-defined]


def test_dead_letters(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    assert "no message was given up" in said(settings_env, "dead-letters", "reasons", "--tenant", str(uuid4()))
    buried = [sent_message(pool, line_id) for _ in range(3)]
    with pool.transaction() as cursor:
        cursor.execute(
            "UPDATE message_tracking SET state = 'dead', reason_code = '131000', reason = 'odd', failed_at = now() "
            "WHERE id = ANY(%s::uuid[]) RETURNING tenant_id",
            ([one.id for one in buried],),
        )
        tenant_id = str(cursor.fetchone()[0])
    listed = said(settings_env, "dead-letters", "list")
    assert all(one.id in listed for one in buried)
    assert "131000: odd" in listed
    assert "state dead" in said(settings_env, "dead-letters", "show", buried[0].id)
    assert "1 on the way again" in said(settings_env, "dead-letters", "replay", buried[0].id)
    twice = said(settings_env, "dead-letters", "replay", buried[0].id)
    assert "left as it is" in twice
    assert "2  131000: odd" in said(settings_env, "dead-letters", "reasons", "--tenant", tenant_id)
    everything = ("dead-letters", "replay", "--tenant", tenant_id, "--all")
    assert "nothing to send again" in said(settings_env, *everything, "--reason", "x", code=1)
    assert "nothing to send again" in said(settings_env, *everything, "--until", "2020-01-01", code=1)
    begun = said(settings_env, *everything, "--reason", "131000", "--since", "2020-01-01")
    assert "running    0 of 2 put back" in begun
    assert "wait, or cancel" in said(settings_env, *everything, code=1)
    assert replay_steps.step(pool)
    listed = said(settings_env, "dead-letters", "replays")
    assert "done       2 of 2 put back: 0 carried, 0 failed again, 2 on" in listed
    assert "done " in said(settings_env, "dead-letters", "cancel", begun.split()[0])
    assert "0 shown" in said(settings_env, "dead-letters", "list", "--tenant", tenant_id)
    assert "say --tenant ID --all" in said(settings_env, "dead-letters", "replay", "--all", code=2)
    assert "go with --tenant ID" in said(settings_env, "dead-letters", "replay", "--broker", "--reason", "x", code=2)


def test_what_nobody_could_decode(settings_env: dict[str, str], pool: Pool, line_id: str) -> None:
    settings = load_settings(settings_env)
    declare(settings.broker_url, settings.relay_shards)
    with pool.autocommit() as cursor:
        # Owned by nobody else meanwhile: what is brought back has to be proved to its line's owner.
        cursor.execute("UPDATE lines SET status = 'active' WHERE id = %s RETURNING tenant_id", (line_id,))
        tenant_id = str(cursor.fetchone()[0])
    signer = Signers(pool, build_cipher(settings)).digest(settings.meta_app_secret.get_secret_value())
    update = dump(Update("whatsapp", tenant_id, line_id, "49", NOW, 0, {}, signer=signer))
    publisher = Publisher(settings_env["BROKER_URL"])
    publisher.publish([Outgoing("", DEAD_LETTERS, update, {"reason": "KeyError: from"})] * 3, 10)
    publisher.publish([Outgoing("", DEAD_LETTERS, b"?", {"reason": "odd"})], 10)
    publisher.close()
    listed = said(settings_env, "dead-letters", "list", "--broker")
    assert listed.count("KeyError: from") == 3
    assert "for nobody knows whom: odd" in listed
    done = said(settings_env, "dead-letters", "replay", "--broker")
    assert "3 back in their queues, 1 stay" in done
