"""What is wrong, on its page; what people want to be told; and the two test buttons."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import time
from email.message import Message
from pathlib import Path

import pytest
from flask import Flask
from standardwebhooks.webhooks import Webhook

from db.access import users
from db.conditions import addressees
from tests.portal.client import Person, running_app
from tests.portal.conftest import new_user
from tests.portal.rows import House
from tests.services.certificates import Authority
from tests.services.mail import MailProcess
from tests.unit.relay.channels.servers import Asked, Served, answer, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    def take(_served: Served, sock: socket.socket, _asked: Asked) -> bool:
        return answer(sock, {})

    with serving(take) as running:
        yield running


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MailProcess, Authority]]:
    folder: Path = tmp_path_factory.mktemp("mail")
    authority = Authority(folder / "authority")
    with MailProcess(folder, "smtp", authority) as running:
        yield running, authority


@pytest.fixture(scope="module")
def app(
    settings_env: dict[str, str], served: Served, mail: tuple[MailProcess, Authority], house: House
) -> Iterator[Flask]:
    running, authority = mail
    more = {
        "SMTP_URL": running.url, "MAIL_FROM": "Relay <relay@relay.example>", "TLS_CA_FILE": str(authority.ca_file),
        "ENDPOINT_PRIVATE_ORIGINS": f"{house.tenant_id}={served.url}",
    }  # fmt: skip
    with running_app(settings_env | more) as made:
        yield made


def wrong(house: House, detail: str, *, over: bool = False) -> None:
    with house.pool.autocommit() as cursor:
        cursor.execute(
            """INSERT INTO conditions (tenant_id, kind, line_id, subject, detail, over_at)
               VALUES (%s, 'backlog', %s, 'outbound', %s, CASE WHEN %s THEN now() END)""",
            (house.tenant_id, house.line_id, detail, over),
        )


def test_the_page_says_what_is_wrong_and_what_was(app: Flask, house: House, viewer: Person) -> None:
    page = f"{house.path}/conditions"
    assert "Nothing is wrong" in viewer.get(page)
    wrong(house, "waits since <b>noon</b>")
    wrong(house, "waited", over=True)
    seen = viewer.get(page)
    for text in ("messages wait for long", "Waits since &lt;b&gt;noon&lt;/b&gt;.", "Waited.", "says for each side"):
        assert text in seen
    assert "Webhook</h2>" not in seen, "who may change nothing sees no form"
    viewer.get("/portal/conditions", status=403)
    other = House(house.pool, "Suedwind")
    viewer.get(f"{other.path}/conditions", status=404)
    new_user(house.pool, "op-conditions@relay.example", "operator")
    assert "Nordwind" in Person(app, "op-conditions@relay.example").get("/portal/conditions")


def test_the_webhook_is_set_tried_and_removed(house: House, admin: Person, served: Served) -> None:
    page = f"{house.path}/conditions"
    inside = "http://169.254.169.254/latest"
    assert "never called" in admin.post(f"{page}/webhook", {"url": inside}, 400, form_on=page)
    admin.post(f"{page}/webhook", {"url": f"{served.url}/hook?key=opensesame"}, form_on=page)
    seen = admin.get(page)
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", seen)
    assert found and "127.0.0.1" in seen and "opensesame" not in seen
    assert "whsec_" not in admin.get(page), "the secret is shown once"
    admin.post(f"{page}/webhook/test", form_on=page)
    assert "The test arrived" in admin.get(page)
    body = Webhook(found[0]).verify(served.asked[-1].body, served.asked[-1].headers)
    assert body["type"] == "conditions.test"
    admin.post(f"{page}/webhook/remove", form_on=page)
    assert "Set the webhook" in admin.get(page)
    assert house.audited("conditions.webhook_set") and house.audited("conditions.webhook_removed")


def test_a_person_says_what_they_want(house: House, admin: Person, viewer: Person) -> None:
    page = "/portal/account"
    assert 'id="wanted" checked' in admin.get(page) and 'id="wanted">' in viewer.get(page)
    form = {"wanted": "y", "quiet_begin": "22:00", "quiet_end": "07:00", "zone": "Europe/Berlin"}
    viewer.post("/portal/account/wishes", form, form_on=page)
    assert 'value="22:00"' in viewer.get(page) and "Europe/Berlin" in viewer.seen[-1]
    user = users.by_email(house.pool, "viewer@nordwind.example")
    assert user
    wishes = addressees.wishes(house.pool, user.id)
    assert wishes and (wishes.wanted, wishes.quiet_begin, wishes.zone) == (True, time(22), "Europe/Berlin")
    for bad, why in (({"zone": "../etc/passwd"}, "Choose a time zone"), ({"quiet_end": ""}, "Enter both times")):
        viewer.post("/portal/account/wishes", form | bad, form_on=page)
        assert why in viewer.get(page)


def test_an_address_is_confirmed_by_its_link_before_anything_else_is_sent(
    app: Flask, house: House, viewer: Person, mail: tuple[MailProcess, Authority]
) -> None:
    page, email = "/portal/account", "viewer@nordwind.example"

    def sent() -> list[Message]:
        return [one for one in mail[0].mails() if one["To"] == email]

    viewer.post("/portal/account/wishes/test", form_on=page)
    assert "Confirm your address first" in viewer.get(page) and sent() == []
    for said in ("Open the link", "No further mail can be sent now"):
        viewer.post("/portal/account/wishes/confirm", form_on=page)
        assert said in viewer.get(page)
    [asking] = sent()
    found = re.search(r"/portal/mail/confirm/[0-9a-f-]+", asking.get_content())  # type: ignore[attr-defined]
    assert found and "Nordwind" not in asking.get_content()  # type: ignore[attr-defined]
    stranger = app.test_client()
    assert "Is this your address?" in stranger.get(found[0]).text
    assert "is not confirmed" in viewer.get(page), "whoever only looks at a link confirms nothing"
    assert stranger.get(found[0][:-1] + "x").status_code == 404
    assert "is confirmed" in stranger.post(found[0]).text
    assert "is not confirmed" not in viewer.get(page)
    viewer.post("/portal/account/wishes/test", form_on=page)
    assert "has taken a test" in viewer.get(page)
    assert sent()[1]["Subject"] == "Relay: a test"
    leave = sent()[1]["List-Unsubscribe"].strip("<>").partition("/portal/")[2]
    assert stranger.post(f"/portal/{leave}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    user = users.by_email(house.pool, email)
    wishes = user and addressees.wishes(house.pool, user.id)
    assert wishes and not wishes.wanted
