"""The webhook fields that are wanted: each is one that the relay knows how to read."""

from relay.channels.whatsapp.fields import FIELDS
from relay.channels.whatsapp.wanted_fields import USES, WANTED, in_words, missing


def test_every_wanted_field_is_known() -> None:
    assert set(WANTED) <= set(FIELDS)


def test_every_use_has_fields_and_nothing_is_missing_where_all_are_there() -> None:
    for use in USES:
        assert missing((), use)
        assert missing(WANTED, use) == []


def test_traffic_is_what_messages_come_by() -> None:
    assert missing((), "traffic") == ["messages", "standby", "messaging_handovers", "smb_message_echoes"]
    assert missing(("messages", "account_update"), "traffic") == [
        "standby",
        "messaging_handovers",
        "smb_message_echoes",
    ]


def test_each_missing_field_is_told_with_its_purpose() -> None:
    one = "standby (copies of conversations that another responder has)"
    assert in_words(["standby"]) == one
    assert in_words(["standby", "calls"]) == f"{one} and calls (calls that nobody answers)"
