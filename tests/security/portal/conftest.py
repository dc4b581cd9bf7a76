"""The portal's application, house and people, as its own tests have them."""

from tests.portal.conftest import admin, app, house, pool

__all__ = ["admin", "app", "house", "pool"]
