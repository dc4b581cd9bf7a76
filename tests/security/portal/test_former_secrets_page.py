"""The page of the lines ends replaced secrets for whoever may, and for nobody else."""

from __future__ import annotations

import pytest
from flask import Flask

from db.audit import Author
from db.tenants import credentials, former_secrets
from tests.portal.client import Person, changes_of
from tests.portal.conftest import new_user
from tests.portal.rows import House
from web.request.web_context import WebContext


@pytest.fixture
def parts(app: Flask, house: House) -> WebContext:
    """Both sides' secrets have just been replaced."""
    held: WebContext = app.extensions["relay"]
    for secret in ("first", "second"):
        for side, name in (("whatsapp", "app_secret"), ("genesys", "webhook_secret")):
            values = {name: f"{secret}-{side}"}
            credentials.put(changes_of(held), held.cipher, Author("test"), house.tenant_id, side, values)  # type: ignore[arg-type]
    return held


def sides(parts: WebContext, house: House) -> list[str]:
    return sorted({one.side for one in former_secrets.valid(parts.pool, parts.cipher, house.tenant_id)})


def test_one_side_is_ended_and_the_other_is_not(parts: WebContext, admin: Person, house: House) -> None:
    page = admin.get(f"{house.path}/lines")
    assert "App secret at Meta" in page
    assert "Webhook secret at Genesys" in page
    assert "first-whatsapp" not in page
    after = admin.follow(f"{house.path}/former-secrets/end", {"side": "whatsapp"})
    assert "former secrets ended" in after or "former secret ended" in after
    assert "App secret at Meta" not in after
    assert sides(parts, house) == ["genesys"]
    assert "Ended replaced webhook secrets at once" in admin.get(f"{house.path}/audit")


def test_a_viewer_does_not_end_them(parts: WebContext, app: Flask, house: House) -> None:
    viewer = Person(app, new_user(house.pool, "watcher@nordwind.example", "viewer", house.tenant_id).email)
    assert "End now" not in viewer.get(f"{house.path}/lines")
    viewer.post(f"{house.path}/former-secrets/end", status=403)
    assert sides(parts, house) == ["genesys", "whatsapp"]
