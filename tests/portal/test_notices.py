"""The page of notices, and what the page of a conversation says about the window and the user name."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from db.contacts import conversations
from db.contacts.seen import Arrival, SeenPerson
from db.mailbox import notices
from db.mailbox.notices import NewNotice
from relay.core.messages import Person as Contact
from tests.portal.client import Person
from tests.portal.rows import House
from web.portal.messages import notices as page


def keep(house: House, *payloads: object, kind: str = "account_update") -> None:
    with house.pool.transaction() as cursor:
        rows = [
            NewNotice(house.tenant_id, house.line_id, "whatsapp", kind, "the reason", one, time.time())
            for one in payloads
        ]
        notices.keep(cursor, rows)


def test_what_came_and_why(house: House, admin: Person, viewer: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No notices" in admin.get(f"{house.path}/notices")
    keep(house, {"body": "<b>told</b>", "access_token": "opensesame"})
    keep(house, {"ids": ["a", "b"]}, kind="identity_conflict")
    seen = admin.get(f"{house.path}/notices")
    for text in ("Account update", "The reason", "Number and user id contradict each other", "&lt;b&gt;told&lt;/b&gt;"):
        assert text in seen
    assert "opensesame" not in seen
    assert "Account update" in viewer.get(f"{house.path}/notices")
    assert "told" not in viewer.seen[-1], "whoever may not see what providers sent sees the reason alone"
    assert house.audited("notices.listed")
    assert admin.get(f"{house.path}/notices?line=nowhere").count("Choose one of your lines") == 1
    admin.get(f"{house.path}/notices?before=nonsense", status=400)
    monkeypatch.setattr(page, "SHOWN", 1)
    assert f"{house.path}/notices?before=" in admin.get(f"{house.path}/notices")


def test_whether_the_customer_can_be_answered(house: House, viewer: Person) -> None:
    contact = Contact("DE.1349", bsuid="DE.1349", username="kfisher")
    with house.pool.transaction() as cursor:
        made = conversations.resolve(cursor, [SeenPerson(house.tenant_id, house.line_id, contact)], 16)[0]
    path = f"{house.path}/conversations/{made.conversation_id}"
    assert "The customer has not written yet" in viewer.get(path)
    assert "<h1><bdi>@kfisher</bdi></h1>" in viewer.seen[-1]
    assert "@kfisher" in viewer.get(f"{house.path}/conversations")
    with house.pool.transaction() as cursor:
        conversations.touch(cursor, [Arrival(made.conversation_id, window_until=time.time() + 3600)])
    assert "Customer can be answered freely until" in viewer.get(path)
    with house.pool.transaction() as cursor:
        cursor.execute(
            "UPDATE conversation_mappings SET window_until = now() - interval '1 second' WHERE id = %s",
            (UUID(made.conversation_id),),
        )
    assert "24-hour window closed" in viewer.get(path)
