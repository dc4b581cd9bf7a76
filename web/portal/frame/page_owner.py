"""Whose people and keys a page is about: one tenant's, or the operator's own. The pages are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, url_for

from db.pool import Pool
from web.portal.frame.blueprint import tenant_pool


@dataclass(frozen=True, slots=True)
class PageOwner:
    """`of_tenant` and `of_operator` are the endpoint names on either side."""

    tenant_id: str | None
    tenant_name: str | None

    @property
    def pool(self) -> Pool:
        return tenant_pool()

    def url(self, of_tenant: str, of_operator: str, **values: Any) -> str:
        if self.tenant_id is None:
            return url_for(f"portal.{of_operator}", **values)
        return url_for(f"portal.{of_tenant}", tenant_id=self.tenant_id, **values)


def place() -> PageOwner:
    """The one that the page's address names."""
    found = g.get("tenant")
    return PageOwner(found.id, found.name) if found is not None else PageOwner(None, None)
