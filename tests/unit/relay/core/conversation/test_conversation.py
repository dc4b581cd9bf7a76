"""What a conversation wants done when something happens: turns, dispatches, reports, alarms, and leaving."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from relay.core.conversation import effects as do
from relay.core.conversation import events
from relay.core.conversation.conversation import (
    IDLE_SECONDS,
    LONGEST_HANDSET_WAIT,
    LOOK_AGAIN_SECONDS,
    Conversation,
)
from relay.core.conversation.dispatch import DispatchFacts
from relay.core.conversation.hold import Hold
from relay.core.errors import CannotCarry, SendError
from relay.core.limits import PAIR_BURST
from relay.core.mailbox import RowStatus
from relay.core.messages import Media, Message, Person, Signal
from relay.stores import catalogues
from tests.unit.relay.core.conversation.driving import Driven
from tests.unit.relay.core.conversation.rows import LONG_AGO, MAPPING, NOW, PLACE, held, row, row_status, verdict

WROTE = Message("wamid.1", Person("491701"), LONG_AGO, text="Hello")
PHOTO = Message("s", Person("491701"), LONG_AGO, "image", media=Media("image"))


# Lanes and turns


def test_a_turn_is_asked_for_once_and_the_first_message_goes() -> None:
    driven = Driven()
    driven.arrive(row("b", at=LONG_AGO + 1), row("a"), row("a"))
    driven.arrive(row("c", at=LONG_AGO + 2))
    assert driven.asked() == ["outbound"]
    assert driven.dispatch() == "a"
    assert driven.turn() == do.ReturnTurn("turn"), "one at a time"
    driven.ended("a")
    assert driven.asked() == ["outbound"] and driven.dispatch() == "b"


def test_the_directions_do_not_wait_for_each_other() -> None:
    driven = Driven(row("a"), row("of the customer", "inbound"))
    assert sorted(driven.asked()) == ["inbound", "outbound"]
    assert driven.dispatch("outbound") == "a" and driven.dispatch("inbound") == "of the customer"


def test_nothing_goes_before_the_older_rows_have_been_read() -> None:
    driven = Driven()
    driven.rows = None
    driven.tell(events.MemoryLost(1.0))
    driven.arrive(row("b", at=LONG_AGO + 1))
    driven.wait(30)
    assert driven.asked() == [] and driven.turn() == do.ReturnTurn("turn") and driven.reads > 5
    driven.rows = [row("a"), row("b", at=LONG_AGO + 1)]
    driven.wait(2)
    assert driven.dispatch() == "a"


def test_what_comes_with_the_word_that_nothing_else_is_unfinished_goes_without_a_look_at_the_rows() -> None:
    driven = Driven()
    driven.conversation, driven.reads = Conversation("c", PLACE), 0
    driven.tell(events.Arrived(MAPPING, [row("a")], nothing_else=True))
    assert driven.reads == 0 and driven.dispatch() == "a"
    driven.ended("a")
    driven.tell(events.Wake("c"))
    assert driven.reads == 1, "somebody else has written a row since"


def test_where_others_wait_for_room_it_leaves_as_soon_as_there_is_nothing_to_do() -> None:
    driven = Driven(row("a"))
    assert do.Leave() not in driven.tell(events.RoomWanted())
    driven.dispatch()
    assert do.Leave() in driven.ended("a")
    idle = Driven()
    assert do.Leave() in idle.tell(events.RoomWanted()), "it had nothing to do already"


def test_a_message_is_held_for_the_window_and_one_that_comes_before_it_goes_first() -> None:
    driven = Driven(holds=held(Hold(0.25)))
    driven.arrive(row("b", at=NOW))
    assert driven.asked() == [] and driven.turn() == do.ReturnTurn("turn")
    driven.wait(0.2)
    driven.arrive(row("a", at=NOW - 1))
    assert driven.asked() == ["outbound"], "it arrived long enough ago to be the last that could come before"
    assert driven.dispatch() == "a"


def test_a_message_that_was_found_in_postgresql_is_held_by_what_its_own_line_has_on_its_way() -> None:
    """Nobody need have said before which line a conversation is on."""
    first = row("a", at=NOW - 1)
    driven = Driven(first, holds=lambda line_id, _: Hold(0.25, uncommitted=line_id == first.line_id))
    assert driven.asked() == []
    driven = Driven(first, holds=lambda line_id, _: Hold(0.25, uncommitted=line_id != first.line_id))
    assert driven.asked() == ["outbound"]


def test_what_waits_for_a_queue_goes_as_soon_as_that_has_caught_up() -> None:
    driven = Driven(row("a", at=NOW - 60), holds=held(Hold(0.25, caught_up=False)))
    assert driven.asked() == []
    driven.holds = held(Hold(0.25))
    driven.tell(events.QueueCaughtUp())
    assert driven.asked() == ["outbound"]


def test_a_turn_that_nobody_gave_is_asked_for_again() -> None:
    driven = Driven(row("a"))
    assert driven.asked() == ["outbound"]
    driven.wait(LOOK_AGAIN_SECONDS - 1)
    assert driven.asked() == []
    driven.wait(LOOK_AGAIN_SECONDS)
    assert driven.asked() == ["outbound"]


def test_what_knows_nothing_of_its_contact_passes_its_turns() -> None:
    driven = Driven(mapping=None)
    assert driven.turn() == do.ReturnTurn("turn") and driven.turn("report") == do.ReturnTurn("turn")


def test_metas_pair_limit_holds_the_next_ones_back() -> None:
    driven = Driven()
    for number in range(int(PAIR_BURST)):
        driven.arrive(row(f"{number}"))
        driven.ended(driven.dispatch())
    driven.asked()
    driven.arrive(row("one too many"), row("of the customer", "inbound"))
    assert driven.asked() == ["inbound"], "it is between WhatsApp and the contact"
    driven.wait(7)
    assert driven.asked() == ["outbound"]


# The 24-hour window


def test_what_came_too_late_ends_without_a_call_once_postgresql_says_so_too() -> None:
    driven = Driven(row("a"), mapping=replace(MAPPING, window_until=NOW - 1))
    asked = driven.turn()
    assert isinstance(asked, do.ReadMapping)
    effects = driven.tell(events.MappingRead("turn", "outbound", {}, driven.mapping))
    assert do.ReturnTurn("turn") in effects
    [told] = [one for one in effects if isinstance(one, do.WriteVerdict)]
    assert (told.verdict.message_id, told.verdict.state, told.verdict.code) == ("a", "failed", "window_closed")
    driven.arrive(row("b", at=LONG_AGO + 1))
    assert driven.turn() == do.ReturnTurn("turn"), "its end holds the lane until it is written"
    driven.ended("a", "failed", verdict("a", "failed"))
    assert driven.asked()


def test_where_the_window_has_opened_meanwhile_the_message_goes() -> None:
    driven = Driven(row("a"), mapping=replace(MAPPING, window_until=NOW - 1))
    assert isinstance(driven.turn(), do.ReadMapping)
    effects = driven.tell(events.MappingRead("turn", "outbound", {}, replace(MAPPING, window_until=NOW + 9)))
    assert [one for one in effects if isinstance(one, do.StartDispatch)]


def test_an_end_that_nobody_could_write_is_looked_up() -> None:
    driven = Driven(row("a", unknown_until=NOW - 1, state="unknown"), unknown_outcome="give_up")
    assert driven.turn() == do.ReturnTurn("turn") and driven.of(do.WriteVerdict)
    reads = driven.reads
    driven.wait(3 * LOOK_AGAIN_SECONDS)
    assert driven.reads > reads and driven.asked()


# How calls end


def test_what_was_sent_leaves_its_lane_and_is_counted() -> None:
    driven = Driven(row("a"))
    driven.dispatch()
    assert do.CountFinished("outbound", "sent") in driven.ended("a")
    driven.rows = []
    driven.tell(events.Wake("c", (("a", "outbound"),)))
    assert driven.reads == 2, "it is not known any more"


@pytest.mark.parametrize(
    "ended",
    [
        events.OutcomeWritten("a", None, None),
        events.OutcomeWritten("a", row_status("a", "received"), None),
        events.OutcomeWritten("a", row_status("a", "received"), verdict("a", "unknown")),
        events.NotClaimed("a"),
    ],
)
def test_where_only_the_row_can_tell_how_a_call_ended_it_is_read(ended: events.Event) -> None:
    driven = Driven(row("a"))
    driven.asked()
    driven.dispatch()
    driven.tell(ended)
    assert driven.asked() == [] and driven.of(do.Warn)
    driven.wait(1)
    assert driven.reads == 2 and driven.asked() == ["outbound"]


def test_what_is_tried_again_waits_and_is_not_read_anew() -> None:
    driven = Driven(row("a"), row("b", at=LONG_AGO + 1))
    driven.dispatch()
    driven.asked()
    driven.ended("a", "received", verdict("a", "received", wait=20.0), facts=DispatchFacts(1, 7.0))
    assert driven.reads == 1 and driven.asked() == []
    driven.wait(20)
    assert driven.asked() == ["outbound"]
    used = driven.turn()
    assert isinstance(used, do.StartDispatch)
    assert (used.job.message_id, used.job.attempt, used.job.failures, used.job.first_failure) == ("a", 2, 1, 7.0)


def test_a_call_without_word_is_looked_up() -> None:
    driven = Driven(row("a"))
    driven.dispatch()
    driven.wait(PLACE.stuck_seconds - 5)
    assert driven.reads == 1
    driven.wait(LOOK_AGAIN_SECONDS + IDLE_SECONDS)
    assert driven.reads == 2


def test_genesys_names_its_conversation_with_the_first_message() -> None:
    driven = Driven(row("a", "inbound"), row("b", "inbound", at=LONG_AGO + 1))
    driven.dispatch("inbound")
    driven.ended("a", genesys_conversation_id="g")
    used = driven.turn("inbound")
    assert isinstance(used, do.StartDispatch) and used.job.to.genesys_conversation_known


def test_where_the_line_wants_it_the_next_waits_for_this_ones_receipt_though_not_for_ever() -> None:
    for receipt in (True, False):
        driven = Driven(row("a"), row("b", at=LONG_AGO + 1), handset_order_seconds=3600)
        driven.dispatch()
        driven.asked()
        driven.ended("a")
        driven.wait(LONGEST_HANDSET_WAIT - 1)
        assert driven.asked() == []
        driven.tell(events.RowChanged(row_status("a", "sent"))) if receipt else driven.wait(1)
        assert driven.asked() == ["outbound"]


def test_a_receipt_that_overtakes_the_answer_leaves_nothing_to_wait_for() -> None:
    driven = Driven(row("a"), row("b", at=LONG_AGO + 1), handset_order_seconds=20)
    driven.dispatch()
    driven.asked()
    driven.tell(events.RowChanged(row_status("a", "sent")))
    driven.ended("a")
    assert driven.asked() == ["outbound"]


# Delivery reports


def failed(name: str, **more: Any) -> RowStatus:
    return row_status(name, "failed", "failed", **more)


def test_the_report_of_a_failure_is_told_and_again_where_that_went_wrong() -> None:
    driven = Driven(row("a"))
    driven.dispatch()
    driven.asked()
    driven.tell(events.RowChanged(failed("a")))
    assert driven.asked() == ["report"]
    assert isinstance(driven.turn("report"), do.TellReport)
    driven.tell(events.ReportEnded("a", "failed", 5.0))
    driven.wait(5)
    assert driven.asked() == ["report"] and isinstance(driven.turn("report"), do.TellReport)
    driven.tell(events.ReportEnded("a", "failed"))
    assert driven.turn("report") == do.ReturnTurn("turn")


@pytest.mark.parametrize("contains", [True, False])
def test_what_came_too_late_may_go_as_a_template_and_else_its_failure_is_told(contains: bool) -> None:
    driven = Driven()
    driven.tell(events.RowChanged(failed("a", code="window_closed")))
    wanted = driven.turn("report")
    assert isinstance(wanted, do.SendTemplate) and wanted.closed_at is None
    driven.rows = [row("a")] if contains else []
    effects = driven.tell(events.TemplateDecided("turn", wanted.report, contains, "because"))
    assert driven.reads == 2, "the row may be back in its lane"
    told = [one.report.reason for one in effects if isinstance(one, do.TellReport)]
    assert told == ([] if contains else ["because"])
    assert (do.ReturnTurn("turn") in effects) is contains
    assert driven.turn("report") == do.ReturnTurn("turn")


@pytest.mark.parametrize("may_tell", [True, False])
def test_of_a_message_in_parts_postgresql_says_whether_a_part_speaks_for_the_whole(may_tell: bool) -> None:
    driven = Driven()
    driven.tell(events.RowChanged(replace(failed("a"), part=2, parts=3, reason="no")))
    wanted = driven.turn("report")
    assert isinstance(wanted, do.DecidePart)
    effects = driven.tell(events.PartDecided("turn", wanted.report, may_tell))
    told = [one.report.reason for one in effects if isinstance(one, do.TellReport)]
    assert told == (["part 2 of 3: no"] if may_tell else [])
    assert (do.ReturnTurn("turn") in effects) is not may_tell


# Presence


def test_the_customers_message_is_marked_read_when_genesys_has_it() -> None:
    driven = Driven(row("a", "inbound", source=WROTE), mark_read=True)
    driven.dispatch("inbound")
    assert "presence" not in driven.asked()
    driven.ended("a")
    assert driven.asked() == ["presence"]
    assert driven.turn("presence") == do.StartPresence("turn", Signal("read", "wamid.1"))


@pytest.mark.parametrize("state", ["delivered", "read"])
def test_it_is_marked_read_also_when_a_receipt_overtakes_the_word_of_the_call(state: str) -> None:
    driven = Driven(row("a", "inbound", source=WROTE), mark_read=True)
    driven.dispatch("inbound")
    driven.ended("a", state)
    assert "presence" in driven.asked()


def test_a_message_that_is_on_the_phone_already_holds_nothing_back() -> None:
    driven = Driven(row("a"), row("b", at=LONG_AGO + 1), handset_order_seconds=5)
    driven.dispatch()
    driven.ended("a", "delivered")
    assert driven.asked()[-1] == "outbound"
    assert driven.dispatch() == "b"


def test_a_long_text_is_marked_read_once_when_its_last_part_is_there() -> None:
    driven = Driven(mark_read=True)
    asked = []
    for part, source_id in enumerate(("wamid.1", "wamid.1#2", "wamid.1#3"), 1):
        name, source = f"part-{part}", replace(WROTE, source_id=source_id, part=part, parts=3)
        driven.arrive(row(name, "inbound", source=source))
        driven.ended(driven.dispatch("inbound"))
        asked.append("presence" in driven.asked())
    assert asked == [False, False, True]


@pytest.mark.parametrize(
    ("source", "direction", "mark_read", "state"),
    [
        (replace(WROTE, source_id="sha256:0f3b"), "inbound", True, "sent"),
        (replace(WROTE, source_id="sha256:0f3b#2", part=2, parts=2), "inbound", True, "sent"),
        (replace(WROTE, notice=True), "inbound", True, "sent"),
        (WROTE, "outbound", True, "sent"),
        (WROTE, "inbound", False, "sent"),
        (WROTE, "inbound", True, "failed"),
        (WROTE, "inbound", True, "dead"),
    ],
)
def test_nothing_else_is_marked_read(source: Message, direction: Any, mark_read: bool, state: str) -> None:
    driven = Driven(row("a", direction, source=source), mark_read=mark_read)
    driven.dispatch(direction)
    driven.asked()
    driven.ended("a", state, None if state == "sent" else verdict("a", state))
    assert driven.asked() == []


def test_an_agents_typing_is_shown_where_the_line_wants_it() -> None:
    for wanted in (True, False):
        driven = Driven(mapping=replace(MAPPING, last_inbound_id="wamid.9"), show_typing=wanted)
        driven.tell(events.AgentTyped("c", 0, NOW))
        assert driven.asked() == ["presence"]
        shown = do.StartPresence("turn", Signal("typing", "wamid.9"))
        assert driven.turn("presence") == (shown if wanted else do.ReturnTurn("turn"))


# Files


def test_files_are_made_ready_a_few_ahead_and_a_message_does_not_go_without_its_own() -> None:
    driven = Driven(*(row(f"{number}", at=LONG_AGO + number, source=PHOTO) for number in range(5)))
    assert [one.message_id for one in driven.of(do.PrepareFile)] == ["0", "1", "2"]
    assert driven.asked() == [] and driven.turn() == do.ReturnTurn("turn")
    ready = replace(PHOTO, media=Media("image", upload_id="u"))
    driven.tell(events.FilePrepared("1", "outbound", ready))
    assert driven.asked() == []
    driven.tell(events.FilePrepared("0", "outbound", ready))
    assert driven.asked() == ["outbound"]
    used = driven.turn()
    assert isinstance(used, do.StartDispatch) and used.job.message == ready


def test_a_file_in_passing_trouble_is_tried_again() -> None:
    driven = Driven(row("a", at=NOW, source=PHOTO))
    trouble = SendError("retry", "503", "try again")
    driven.tell(events.FilePrepared("a", "outbound", PHOTO, trouble))
    assert len(driven.of(do.PrepareFile)) == 1 and not driven.of(do.WriteVerdict)
    driven.wait(1)
    assert len(driven.of(do.PrepareFile)) == 2


def test_a_customers_message_goes_without_a_file_that_cannot_be_had_and_says_so() -> None:
    driven = Driven(row("a", "inbound", source=PHOTO))
    effects = driven.tell(events.FilePrepared("a", "inbound", PHOTO, CannotCarry("too_large", "it is too large")))
    [saved] = [one for one in effects if isinstance(one, do.SaveContent)]
    assert saved.why == "too_large: it is too large" and "it is too large" in str(saved.message.text)
    assert driven.asked() == ["inbound"]


@pytest.mark.parametrize(
    ("language", "notice"),
    [
        ("en", "[image could not be delivered: it is too large]"),
        ("de", "[Bild konnte nicht zugestellt werden: it is too large]"),
        ("es", "[No se ha podido entregar (imagen): it is too large]"),
        ("pt", "[Não foi possível entregar (imagem): it is too large]"),
    ],
)
def test_the_notice_in_place_of_a_file_is_in_the_tenants_language(language: str, notice: str) -> None:
    driven, say = Driven(row("a", "inbound", source=PHOTO)), partial(catalogues.say, language=language)
    error = CannotCarry("too_large", "it is too large")
    effects = driven.tell(events.FilePrepared("a", "inbound", PHOTO, error, say=say))
    [saved] = [one for one in effects if isinstance(one, do.SaveContent)]
    assert (saved.message.text or "").splitlines()[-1] == notice


def test_an_agents_message_fails_with_its_file() -> None:
    driven = Driven(row("a", source=PHOTO))
    effects = driven.tell(events.FilePrepared("a", "outbound", PHOTO, CannotCarry("too_large", "it is too large")))
    [told] = [one.verdict for one in effects if isinstance(one, do.WriteVerdict)]
    assert (told.state, told.code, told.reason) == ("failed", "too_large", "it is too large")
    assert driven.turn() == do.ReturnTurn("turn")


# Reading, waking, leaving


def test_who_is_told_of_what_it_works_on_reads_nothing() -> None:
    driven = Driven(row("a"))
    driven.tell(events.Wake("c", (("a", "outbound"),)))
    assert driven.reads == 1
    driven.tell(events.Wake("c", (("a", "outbound"), ("b", "outbound"))))
    assert driven.reads == 2
    driven.tell(events.Wake("c"))
    assert driven.reads == 3


def test_what_waits_for_word_that_may_never_come_is_read_when_somebody_asks() -> None:
    driven = Driven(row("a", state="sending"))
    assert driven.asked() == []
    driven.rows = [row("a")]
    driven.tell(events.Wake("c", (("a", "outbound"),)))
    assert driven.asked() == ["outbound"]


def test_after_a_failure_everything_is_read_anew() -> None:
    driven = Driven(row("a"), row("b", at=LONG_AGO + 1))
    driven.dispatch()
    driven.asked()
    driven.rows = [row("a", state="sending"), row("b", at=LONG_AGO + 1)]
    driven.tell(events.MemoryLost(1.0))
    driven.wait(2)
    assert driven.reads == 2 and driven.asked() == [], "the call under way is waited for"
    driven.ended("a")
    assert driven.asked() == ["outbound"] and driven.dispatch() == "b"


def test_without_work_it_leaves_after_a_while_and_with_work_it_stays() -> None:
    driven = Driven()
    driven.wait(IDLE_SECONDS - 1)
    assert not driven.of(do.Leave)
    driven.wait(1)
    assert driven.of(do.Leave)
    driven = Driven(row("a"))
    driven.wait(10 * IDLE_SECONDS)
    assert not driven.of(do.Leave)


def test_who_was_told_something_meanwhile_stays_and_leaves_later() -> None:
    driven = Driven()
    driven.wait(IDLE_SECONDS)
    driven.done.clear()
    driven.arrive()
    driven.wait(IDLE_SECONDS - 1)
    assert not driven.of(do.Leave)
    driven.wait(1)
    assert driven.of(do.Leave)


def test_a_read_mark_that_goes_out_by_itself_keeps_nobody_in_memory_for_ever() -> None:
    driven = Driven()
    driven.tell(events.AgentTyped("c", 0, NOW))
    driven.wait(3 * LOOK_AGAIN_SECONDS)
    assert driven.of(do.Leave)


def test_alarms_that_are_not_needed_any_more_do_nothing() -> None:
    assert Driven().tell(events.Alarm(NOW + 17)) == []
