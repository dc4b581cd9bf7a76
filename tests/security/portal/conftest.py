"""The portal's application, house and people, as its own tests have them."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.portal.conftest import admin, app, house, pool
from web.request.web_context import WebContext

__all__ = ["admin", "app", "house", "pool"]


@pytest.fixture
def nobody_has_tried(app: Flask) -> Iterator[None]:
    """No count of wrong passwords or codes is left from before, nor stays behind."""
    parts: WebContext = app.extensions["relay"]
    parts.cache._redis.client.flushdb()
    yield
    parts.cache._redis.client.flushdb()
