"""A secret shows nowhere: not in the log, not in a provider's answer that is kept, not in the view of a payload."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from conf.logging import configure
from relay.channels.http.redaction import kept
from relay.core.redaction import redacted

TEXTS = (
    "could not connect to postgresql://relay:hidden-Word1@db/relay",
    "could not connect to amqp://relay:p@hidden-Word1@broker//",
    "redis://:hidden-Word1@cache:6379/0 refused",
    "sent Authorization: Bearer hidden-Word1-hidden-Word1",
    "Basic aGlkZGVuLVdvcmQxhidden-Word1==",
    "GET /oauth?access_token=hidden-Word1&x=1",
    "client_secret=hidden-Word1&grant_type=client_credentials",
    "code=hidden-Word1&redirect_uri=x",
    "GET https://files/bucket/x?X-Amz-Expires=60&X-Amz-Signature=hidden-Word1&a=b",
    'answered {"access_token": "hidden-Word1", "ok": true}',
    'answered {"access_token": "a\\"hidden-Word1", "ok": true}',
    'answered "{\\"client_secret\\":\\"hidden-Word1\\"}"',
    "raised {'webhook_secret': 'hidden-Word1'}",
    "token EAAG-hidden-Word1-0123456789",
    "token EAAGhiddenWord10123456789",
)
STRUCTURES: tuple[Any, ...] = (
    {"Authorization": "hidden-Word1"},
    {"a": [{"X-Hub-Signature-256": "hidden-Word1"}]},
    {"database_dsn": "hidden-Word1", "signing-key": "hidden-Word1"},
    {"webhook_secret": {"deep": ["hidden-Word1"]}},
    {"url": "https://lookaside.fbsbx.com/x?mid=1&ext=hidden-Word1"},
)
HARMLESS = (
    "My order? https://shop.example/orders?id=5&page=2",
    "some basic questions about bearer shares",
    "Error validating access token: Session has expired",
    "the token is invalid",
)


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[Any], str]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def line(value: Any) -> str:
        configure(redacted)
        structlog.get_logger("relay.test").info("seen", value=value)
        return capsys.readouterr().err

    yield line
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("value", [*TEXTS, *STRUCTURES])
def test_no_secret_is_shown_by_any_of_the_three(value: Any, logged: Callable[[Any], str]) -> None:
    for shown in (json.dumps(redacted({"value": value})), kept({"value": value}), kept(value), logged(value)):
        assert shown
        assert "Word1" not in shown
        assert "[secret]" in shown or "[...]" in shown


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_like_a_secret_stays(text: str, logged: Callable[[Any], str]) -> None:
    assert redacted(text) == text
    assert text in json.loads(logged(text))["value"]
