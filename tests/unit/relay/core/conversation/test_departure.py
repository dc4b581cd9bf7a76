"""What is not sent although its turn has come: too late for the 24-hour window, or given up by its line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from relay.core.content import Native
from relay.core.conversation.departure import (
    HANDOVER_TOO_LATE,
    HANDOVER_UNKNOWN,
    OUTCOME_UNKNOWN,
    OVERTAKEN,
    WINDOW_CLOSED,
    Hindrance,
    hindrance,
)
from relay.core.conversation.dispatch import DispatchJob
from relay.core.conversation.launch import learnt_by_sending, may_take
from relay.core.messages import Direction, Message, Person, Recipient
from relay.core.threads import LATEST_SECONDS, THREAD_CONTROL, ThreadFact

NOW = 1_000_000.0
GIVE_UP = {"unknown_outcome": "give_up"}


def why(
    kind: str = "text",
    direction: Direction = "outbound",
    until: float | None = None,
    settings: Any = None,
    *,
    unknown: bool = False,
) -> Hindrance | None:
    message = Message("s", Person("491701"), NOW, kind)
    return hindrance(direction, message, until, settings or {}, NOW, outcome_unknown=unknown)


@pytest.mark.parametrize("until", [NOW, NOW - 1])
def test_outside_the_window_whatsapp_takes_nothing_but_templates(until: float) -> None:
    assert why(until=until) is WINDOW_CLOSED
    assert why("template", until=until) is None
    assert why(direction="inbound", until=until) is None, "Genesys knows no window"


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        ({"direct": True}, True),
        ({"native": Native("text", {"text": {"body": "x"}, "category": "utility"})}, True),
        ({"native": Native("text", {"text": {"body": "x"}, "category": "authentication"})}, True),
        ({"native": Native("text", {"text": {"body": "x"}, "category": "service"})}, False),
        ({"native": Native("text", {"text": {"body": "x"}, "category": ["utility"]})}, False),
        ({"native": Native("text", {"text": {"body": "x"}})}, False),
    ],
)
def test_direct_send_opens_the_window_takes_no_thread_and_shows_nobodys(more: dict[str, Any], goes: bool) -> None:
    message = replace(Message("s", Person("491701"), NOW), **more)
    found = hindrance("outbound", message, NOW - 1, {}, NOW, outcome_unknown=False)
    assert found is (None if goes else WINDOW_CLOSED)
    assert may_take({"responder_role": "escalation", "take_over": True}, message) is not goes
    to = Recipient("491701", thread=ThreadFact("elsewhere", NOW - 9))
    job = DispatchJob("m", "c", "outbound", message, to, 1, NOW, 0, 1)
    assert learnt_by_sending(job, NOW) == (None if goes else ThreadFact("owned", NOW))


@pytest.mark.parametrize("until", [None, NOW + 1])
def test_inside_it_or_where_nothing_is_known_a_message_goes(until: float | None) -> None:
    assert why(until=until) is None


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_whether_an_unknown_outcome_is_repeated_the_line_says(direction: Direction) -> None:
    assert why(direction=direction, settings=GIVE_UP, unknown=True) is OUTCOME_UNKNOWN
    assert why(direction=direction, settings=GIVE_UP) is None
    others: list[dict[str, Any]] = [{}, {"unknown_outcome": "repeat"}]
    assert [why(direction=direction, settings=one, unknown=True) for one in others] == [None, None]


def test_what_may_have_been_sent_is_not_called_too_late() -> None:
    assert why(until=NOW - 1, settings=GIVE_UP, unknown=True) is OUTCOME_UNKNOWN
    assert why(until=NOW - 1, unknown=True) is WINDOW_CLOSED


@pytest.mark.parametrize("until", [None, NOW - 1])
def test_a_command_that_cannot_be_read_never_goes(until: float | None) -> None:
    message = Message("s", Person("491701"), NOW, "ask", "/ask me", unreadable="write /ask, then location")
    found = hindrance("outbound", message, until, {}, NOW, outcome_unknown=False)
    assert found == Hindrance("failed", "command_unreadable", "write /ask, then location")


def test_a_handover_is_for_no_window_is_not_asked_for_twice_and_not_when_it_is_late() -> None:
    assert why(THREAD_CONTROL, until=NOW - 1) is None
    assert why(THREAD_CONTROL, settings={"unknown_outcome": "repeat"}, unknown=True) is HANDOVER_UNKNOWN
    late = Message("s", Person("491701"), NOW - LATEST_SECONDS - 1, THREAD_CONTROL)
    assert hindrance("outbound", late, None, {}, NOW, outcome_unknown=False) is HANDOVER_TOO_LATE


@pytest.mark.parametrize("kind", ["text", "template", THREAD_CONTROL])
def test_what_follows_an_end_is_left_out_once_its_contact_has_written_again(kind: str) -> None:
    message = Message("end:g:1000000000", Person("491701"), NOW, kind)
    asked = replace(message, source_id="what an agent wrote")
    for heard_at, found in ((None, None), (NOW - 60, None), (NOW, None), (NOW + 1, OVERTAKEN)):
        one = hindrance("outbound", message, None, {}, NOW + 2, outcome_unknown=False, heard_at=heard_at)
        assert one is found
        assert hindrance("outbound", asked, None, {}, NOW + 2, outcome_unknown=False, heard_at=heard_at) is None
