"""The transport that the tests of the channels call through."""

from collections.abc import Iterator

import pytest

from relay.channels.http.client import HttpTransport
from tests.unit.relay.channels.accounts import Tokens


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport(Tokens(), request_seconds=5)
    yield made
    made.close()
