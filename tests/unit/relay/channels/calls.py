"""Calls through the transport, and what a failed one may say."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from relay.channels.http.client import HttpResponse, HttpTransport
from relay.channels.http.origins import TrustedOrigins, own_origins
from relay.core.errors import SendError
from tests.unit.relay.channels.accounts import PHONE
from tests.waiting import PATIENCE

SECRET = "Bearer EAAG-test-token-0123456789"


def soon(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def post(
    transport: HttpTransport,
    url: str,
    deadline: float | None = None,
    before_send: Callable[[], None] | None = None,
    repeatable: bool = False,
) -> HttpResponse:
    return transport.call(
        "POST",
        url + "/messages",
        TrustedOrigins(own_origins(url)),
        deadline or soon(),
        authorization=SECRET,
        json={"to": f"+{PHONE}"},
        before_send=before_send,
        repeatable=repeatable,
    )


def failed(call: Callable[[], Any]) -> SendError:
    """The SendError of a call, which names neither token nor number, nor chains to what does."""
    with pytest.raises(SendError) as caught:
        call()
    shown = f"{caught.value!r} {caught.value} {caught.value.__dict__}"
    assert "EAAG" not in shown
    assert PHONE not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value
