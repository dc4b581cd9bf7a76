"""The steps of a plan, done: each with the function that the API's action ends in, and so in the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from db.audit import Author
from db.conditions import addressees
from db.endpoints import registry as endpoints
from db.sealing import Cipher
from db.tenants import credentials, onboarding, ownership, registry, retention
from db.tenants.changes import Changes
from relay.channels.webhooks.client import WebhookClient
from relay.channels.webhooks.signing import new_secret
from relay.cli.applying.plan import NotPlannedError, Step
from relay.core.errors import SendError
from relay.core.retention import RetentionTerms

BY = Author("command line")
NEW = "a new tenant"
"""In place of its id: no address of the own network is allowed to it yet."""
WAITS = "it waits to be asked about: both providers have to say yes"


@dataclass(slots=True)
class StepDoer:
    """`told`: what is told once, such as a new secret. `tenant_id` is set by the first step of a new tenant."""

    changes: Changes
    cipher: Cipher
    terms: RetentionTerms
    webhooks: WebhookClient
    tenant_id: str = ""
    told: list[str] = field(default_factory=list)

    def check(self, step: Step) -> None:
        """What a plan cannot know by itself. Raises NotPlannedError, RetentionError."""
        if step.what[0] == "retention":
            self.terms.checked(step.values)
        url = step.values.get("url")
        if url is not None:
            try:
                self.webhooks.admit(url, self.tenant_id or NEW)
            except SendError:
                raise NotPlannedError(f"{step.text}: has to be https:// and a public host") from None

    def do(self, step: Step) -> None:
        kind, values = step.what[0], dict(step.values)
        if kind == "tenant":
            self._tenant(step.what[1], values)
        elif kind == "credentials":
            side: Any = step.what[1]
            credentials.put(self.changes, self.cipher, BY, self.tenant_id, side, values)
        elif kind == "line":
            self._line(step.what[1], values)
        elif kind == "retention":
            retention.choose(self.changes, BY, self.tenant_id, values)
        elif kind == "endpoint":
            self._endpoint(step.what[1], values)
        else:
            self._webhook(values["url"])

    def _tenant(self, action: str, values: dict[str, Any]) -> None:
        if action == "create":
            self.tenant_id = registry.create(self.changes, BY, values["name"], values["contact"]).id
            self.told.append(f"the tenant's id: {self.tenant_id}")
        elif action == "rename":
            registry.rename(self.changes, BY, self.tenant_id, values["name"], values["contact"])
        elif action == "language":
            registry.set_language(self.changes, BY, self.tenant_id, values["language"])
        elif action == "status":
            registry.set_status(self.changes, BY, self.tenant_id, values["status"])
        else:
            registry.demand_second_factor(self.changes, BY, self.tenant_id, values["demanded"])

    def _line(self, action: str, values: dict[str, Any]) -> None:
        if action == "remove":
            onboarding.remove(self.changes, BY, self.tenant_id, values["line_id"])
        elif action == "configure":
            onboarding.configure(self.changes, BY, self.tenant_id, values["line_id"], values["settings"])
        else:
            number, integration = values["pair"]
            line = onboarding.create(
                self.changes, self.cipher, BY, self.tenant_id, number, integration, values["secret"], values["settings"]
            )
            if line.status == "pending":
                ownership.wait(self.changes, BY, self.tenant_id, line.id, WAITS)

    def _endpoint(self, action: str, values: dict[str, Any]) -> None:
        pool = self.changes.pool
        if action == "delete":
            endpoints.delete(pool, BY, self.tenant_id, values["id"])
        elif action == "change":
            endpoints.change(pool, BY, self.tenant_id, values["id"], values["values"])
        else:
            secret, active = new_secret(), values.pop("active")
            made = endpoints.create(pool, self.cipher, BY, self.tenant_id, secret, **values)
            if not active:
                endpoints.change(pool, BY, self.tenant_id, made.id, {"active": False})
            self.told.append(f"the secret of endpoint {made.url}, told only now: {secret}")

    def _webhook(self, url: str | None) -> None:
        pool = self.changes.pool
        if url is None:
            addressees.remove_webhook(pool, BY, self.tenant_id)
            return
        secret = new_secret()
        sealed = addressees.sealed_webhook(self.cipher, url, secret)
        addressees.put_webhook(pool, BY, self.tenant_id, urlsplit(url).hostname or "", sealed)
        self.told.append(f"the secret of conditions_webhook, told only now: {secret}")
