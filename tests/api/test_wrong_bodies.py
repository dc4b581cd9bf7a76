"""What a program's author reads about a body that is wrong: which field, and what to do; each mistake once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Api
from web.request.wording import BODY, MOST

TO = {"to": "4915112345678"}


def template(**fields: Any) -> dict[str, Any]:
    given = {"name": "order_update", "language": "en"} | fields
    return TO | {"type": "template", "template": {name: value for name, value in given.items() if value is not ...}}


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ([], "", BODY),
        ("text", "", BODY),
        ({"text": "x"}, "to", "is missing"),
        (TO, "text", "is missing"),
        (TO | {"type": "image"}, "media_url", "is missing"),
        (TO | {"type": "image", "media_url": "ftp://x", "caption": "x"}, "media_url", "must begin with https://"),
        (TO | {"type": "video", "media_url": "https://x.example/v", "text": "x"}, "text", "say it in `caption`"),
        (TO | {"type": "audio", "media_url": "https://x.example/a", "caption": "x"}, "caption", "remove it"),
        (TO | {"type": "template"}, "template", "is missing"),
        (TO | {"text": "x"} | {"template": template()["template"]}, "template", "say type template"),
        (TO | {"type": "template", "template": "order_update"}, "template", "must be an object"),
        (template(language=...), "template.language", "is missing"),
        (template(name="Order Update"), "template.name", "small letters"),
        (template(language="english please"), "template.language", "such as en or pt_BR"),
        (template(parameters="Ada"), "template.parameters", 'must be a list of texts, ["Ada"], or an object'),
        (template(parameters=["Ada", {"text": "x"}]), "template.parameters.1", "must be a string"),
        (template(parameters={"name": ""}), "template.parameters.name", "must not be empty"),
        (template(parameters={"": "Ada"}), "template.parameters", "has a name that must not be empty"),
        (template(parameters=["x"] * 21), "template.parameters", "at most 20 entries"),
        (template(header={"type": "image"}), "template.header", "either `text`, or `type` and `url`"),
        (template(urls={"first": "x"}), "template.urls", "has a name that is no place of a button"),
        (template(components=[]), "template.components", "is not known here"),
    ],
)
def test_a_mistake_is_named_once(api: Api, new_tenant: Callable[..., str], body: Any, field: str, says: str) -> None:
    error = api.error(api("POST", "/whatsapp/send?wait=0", body, X_Tenant_ID=new_tenant()), 400, "invalid_request")
    [mistake] = error["details"]
    assert (mistake["field"], says in mistake["message"]) == (field, True), mistake
    assert error["message"] == (f"`{field}` " if field else "") + mistake["message"]


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/api/dead-letters/replay", {}, ["ids"]),
        ("/api/dead-letters/replay", {"ids": ["x", 5]}, ["ids.0", "ids.1"]),
        ("/api/dead-letters/replays", {"ids": []}, ["ids"]),
        ("/api/dead-letters/replays", {"direction": "up", "since": "soon"}, ["direction", "since"]),
        ("/state/message", {"direction": "inbound", "text": "x"}, ["wa_id"]),
        ("/state/message", {"direction": "in", "wa_id": "49151", "text": "x", "at": "soon"}, ["direction", "at"]),
        ("/whatsapp/send?wait=100", TO | {"text": "x"}, ["wait"]),
    ],
)
def test_every_mistake_has_its_field(
    api: Api, new_tenant: Callable[..., str], path: str, body: Any, fields: list[str]
) -> None:
    error = api.error(api("POST", path, body, X_Tenant_ID=new_tenant()), 400, "invalid_request")
    assert [one["field"] for one in error["details"]] == fields
    assert all(name in error["message"] for name in fields)


def test_not_everything_is_told_of_a_body_that_is_all_wrong(api: Api, new_tenant: Callable[..., str]) -> None:
    body = {f"{'x' * 5000}{n}": "a secret" for n in range(40)}
    error = api.error(api("POST", "/whatsapp/send", body, X_Tenant_ID=new_tenant()), 400, "invalid_request")
    assert len(error["details"]) <= MOST
    assert len(str(error)) < 10_000
    assert "a secret" not in str(error)
