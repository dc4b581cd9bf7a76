"""/openapi.json and /docs: complete, true to the code, and readable offline without a key."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask

from web.api.description.openapi import METHODS, PARAMETER
from web.request.principal import SCOPES

PREFIXES = ("/api/", "/auth/", "/state/", "/genesys/", "/whatsapp/", "/<graph_version:version>/")


@pytest.fixture
def described(app: Flask) -> dict[str, Any]:
    found: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return found


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, methods in described["paths"].items() for method, one in methods.items()]


def test_every_endpoint_is_described_once(app: Flask, described: dict[str, Any]) -> None:
    there = {
        (PARAMETER.sub(r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
        if method.lower() in METHODS and rule.rule.startswith(PREFIXES) and rule.endpoint != "graph.not_here"
    }
    assert {(path, method) for path, method, _ in operations(described)} == there
    assert described["openapi"].startswith("3.1")


def test_each_says_who_may_what_comes_back_and_what_goes_wrong(described: dict[str, Any]) -> None:
    for path, method, one in operations(described):
        name = f"{method} {path}"
        assert one["summary"], name
        assert re.search(r"Needs the scope `(.+)`|Only for the operator", one["description"]), name
        assert {"400", "401", "403", "429", "503"} <= one["responses"].keys(), name
        assert any(status.startswith("2") for status in one["responses"]), name
        assert ("413" in one["responses"]) == ("requestBody" in one), name
        for status, answer in one["responses"].items():
            if status >= "400":
                schema = answer["content"]["application/json"]["schema"]
                shape = "GraphErrorBody" if path.startswith("/{version}/") else "ErrorBody"
                assert schema == {"$ref": f"#/components/schemas/{shape}"}, (name, status)
        references = [each.get("$ref", "") for each in one["parameters"]]
        assert (method == "post") == any("IdempotencyKey" in each for each in references), name


def test_its_scopes_are_those_there_are(described: dict[str, Any]) -> None:
    named = {
        scope for _, _, one in operations(described) for scope in re.findall(r"scope `([a-z:]+)`", one["description"])
    }
    assert named == SCOPES.keys()


def test_examples_are_what_the_schemas_allow(described: dict[str, Any]) -> None:
    examples = 0
    for name, schema in described["components"]["schemas"].items():
        for example in schema.get("examples", []):
            # A $ref leads into the document that it stands in.
            whole = {**schema, "components": described["components"]}
            assert jsonschema_rs.is_valid(whole, example), name
            examples += 1
    assert examples >= 9


def test_the_page_and_all_it_needs_come_from_here(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/docs")
    assert page.status_code == 200
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    text = page.get_data(as_text=True)
    addresses = re.findall(r'(?:src|href|data-description)="([^"]+)"', text)
    assert len(addresses) >= 6
    for address in addresses:
        assert address.startswith("/")
        assert client.get(address).status_code == 200, address
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on[a-z]+=", text), "nothing inline"
