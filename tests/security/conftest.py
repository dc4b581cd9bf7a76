"""The application and its database as the tests of the API have them: attacks go through the same doors."""

from tests.api.conftest import api, app, new_tenant, parts, pool

__all__ = ["api", "app", "new_tenant", "parts", "pool"]
