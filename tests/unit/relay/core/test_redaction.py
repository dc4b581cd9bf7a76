"""What is taken out of a provider's raw item before anybody sees it, and what stays."""

from typing import Any

import pytest

from relay.core.redaction import redacted

META = "https://lookaside.fbsbx.com/whatsapp_business/attachments/"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"access_token": "abc"}, {"access_token": "[secret]"}),
        ({"a": [{"X-Hub-Signature-256": "sha256=00"}]}, {"a": [{"X-Hub-Signature-256": "[secret]"}]}),
        ({"webhook_secret": {"deep": ["x"]}}, {"webhook_secret": "[secret]"}),
        ({"apiKey": 12345}, {"apiKey": "[secret]"}),
        ({"token": None, "password": ""}, {"token": None, "password": ""}),
        ({"url": f"{META}?mid=1&hash=h"}, {"url": f"{META}?[secret]"}),
        ({"body": "see https://shop.example/?id=5&access_token=xyz#top"},
         {"body": "see https://shop.example/?id=5&access_token=[secret]#top"}),
        ({"body": "https://s3/x?X-Amz-Signature=ab&X-Amz-Credential=cd"},
         {"body": "https://s3/x?X-Amz-Signature=[secret]&X-Amz-Credential=[secret]"}),
        ({"header": "Bearer abcdefgh.ijk"}, {"header": "Bearer [secret]"}),
        (["EAAGm0PX4ZCpsBA"], ["[secret]"]),
    ],
)  # fmt: skip
def test_what_opens_doors_is_taken_out(value: Any, shown: Any) -> None:
    assert redacted(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        {"from": "4915112345678", "text": {"body": "My order? https://shop.example/orders?id=5&page=2"}},
        {"timestamp": "1764000000", "type": "text", "n": [1, 2.5, True, None]},
        "a plain text about bearer shares",
    ],
)
def test_what_people_wrote_stays(value: Any) -> None:
    assert redacted(value) == value


def test_nothing_is_nested_too_deeply_for_it() -> None:
    value: Any = {"token": "x"}
    for _ in range(5000):
        value = [value]
    shown = redacted(value)
    assert "nested too deeply" in str(shown)
