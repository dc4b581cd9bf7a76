"""Whose copy of a webhook holds what."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest

from relay.core.archive import OPERATOR, ArchiveCopy, copies, media_key, object_key, packed, read


def message(raw: bytes, **about: Any) -> bytes:
    given = {"id": "abc", "channel": "whatsapp", "received_at": 1764000000.5, "owners": {"t1": ["1"]}, "alone": True}
    return json.dumps(given | about).encode() + b"\n" + raw


def keep(body: Any, refs: set[str]) -> Any:
    return [item for item in body if item in refs]


def test_the_only_owner_gets_every_byte() -> None:
    raw = b'{"a":\n 1}\n'
    (copy,) = copies(read(message(raw)), keep)
    assert (copy.owner, copy.raw) == ("t1", raw)
    assert object_key(copy) == "t1/2025/11/24/160000-abc.json"


def test_what_is_shared_goes_whole_to_the_operator_only() -> None:
    raw = b'["1", "2", "nobody"]'
    found = copies(read(message(raw, owners={"t1": ["1"], "t2": ["2"]}, alone=False)), keep)
    assert [(one.owner, one.raw) for one in found] == [(OPERATOR, raw), ("t1", b'["1"]'), ("t2", b'["2"]')]


def test_what_is_nobodys_goes_to_the_operator_without_being_read() -> None:
    found = copies(read(message(b"not json", owners={}, alone=False)), keep)
    assert [(one.owner, one.raw) for one in found] == [(OPERATOR, b"not json")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"raw only",
        b"[]\nraw",
        b"{}\nraw",
        message(b"", id="../up"),
        message(b"", owners={"../up": ["1"]}),
        message(b"", owners=["t1"]),
        message(b"", received_at=1e300),
        message(b"", received_at="soon"),
    ],
)
def test_what_web_did_not_write_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read(body)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (1764000000.5, "2025/11/24"),
        (1798761599.999, "2026/12/31"),
        (1798761600.0, "2027/01/01"),
        (1835395199.0, "2028/02/28"),
        (1835395200.0, "2028/02/29"),
        (1774742400.0, "2026/03/29"),
    ],
)
def test_a_file_is_kept_under_its_day(at: float, day: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """UTC's, wherever the machine stands and whatever its clocks do in spring."""
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert media_key("t", "l", "m", at) == f"t/{day}/l/m"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_pack_holds_bodies_as_they_came() -> None:
    bodies = [b'{"a":\n1}', b"\xff"]
    lines = gzip.decompress(packed([ArchiveCopy("t", str(n), 1.0, raw) for n, raw in enumerate(bodies)])).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": "0", "received_at": 1.0, "body": '{"a":\n1}'},
        {"id": "1", "received_at": 1.0, "body_base64": "/w=="},
    ]
