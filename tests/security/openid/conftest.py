"""Two hostile providers, and a relay whose installation and tenants trust them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from db.access import openid
from db.access.openid import ProviderSettings
from db.tenants import registry
from db.tenants.changes import Changes
from tests.portal.client import BY, running_app
from tests.security.openid.issuer import Issuer, running
from tests.security.openid.world import NewTenant, Tenant
from web.request.web_context import WebContext


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def other_issuer() -> Iterator[Issuer]:
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def app(settings_env: dict[str, str], issuer: Issuer, other_issuer: Issuer) -> Iterator[Flask]:
    """The installation's provider is `other_issuer`; both may be tenants', too."""
    own = {
        "OIDC_ISSUER": other_issuer.url,
        "OIDC_CLIENT_ID": other_issuer.client_id,
        "OIDC_CLIENT_SECRET": other_issuer.client_secret,
        "OIDC_ROLES": json.dumps({"operators": "operator"}),
        "OIDC_PRIVATE_ORIGINS": f"{issuer.url},{other_issuer.url}",
        "OIDC_SECOND_FACTOR": "true",
    }
    with running_app(settings_env | own) as app:
        app.config["RATE_LIMITED"] = False
        yield app


@pytest.fixture
def parts(app: Flask) -> WebContext:
    held: WebContext = app.extensions["relay"]
    return held


@pytest.fixture(autouse=True)
def fresh(issuer: Issuer, other_issuer: Issuer, parts: WebContext) -> Iterator[None]:
    """What was cached of the issuers is what each test begins without."""
    yield
    for one in (issuer, other_issuer):
        one.reset()
    for exchange in (parts.openid.ours, parts.openid.tenants):
        exchange._directory._metadata._held.clear()
        exchange._directory._keys._held.clear()


@pytest.fixture
def new_tenant(parts: WebContext, issuer: Issuer) -> NewTenant:
    def make(at: Issuer = issuer, **terms: Any) -> Tenant:
        changes = Changes(parts.pool, parts.cache.forget_routes)
        tenant_id = registry.create(changes, BY, "Nordwind", "Ada Brandt, extension 12").id
        said = ProviderSettings("Nordwind", at.url, at.client_id, "groups", ("admins",), ("viewers",), **terms)
        openid.put(parts.pool, parts.cipher, BY, tenant_id, said, at.client_secret, uuid4().hex)
        domain = f"{uuid4().hex}.example"
        openid.set_domains(parts.pool, BY, tenant_id, [domain])
        held = openid.get(parts.pool, parts.cipher, tenant_id)
        assert held is not None
        return Tenant(tenant_id, held.login_key, domain)

    return make
