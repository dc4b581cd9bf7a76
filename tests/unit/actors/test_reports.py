"""What the agent's side is told of a message, and how often."""

from __future__ import annotations

from relay.conversation.reports import Reports
from relay.core.mailbox import Standing


def standing(report: str | None, message_id: str = "m") -> Standing:
    return Standing(message_id, "c", 0, "sent", report, "genesys-id", 1.0, "131026", "why")


def told(reports: Reports) -> str | None:
    report = reports.launch()
    if report is not None:
        reports.told(report.message_id, report.status)
    return report.status if report else None


def test_one_at_a_time_and_each_once() -> None:
    reports = Reports()
    reports.add(standing("delivered", "a"))
    reports.add(standing("failed", "b"))
    first = reports.launch()
    assert first is not None and reports.launch() is None
    reports.told(first.message_id, first.status)
    assert told(reports) == "failed"
    assert not reports and told(reports) is None


def test_a_standing_read_before_the_report_was_written_does_not_repeat_it() -> None:
    reports = Reports()
    reports.add(standing("delivered"))
    assert told(reports) == "delivered"
    reports.add(standing("delivered"))
    reports.add(standing("failed"))
    assert not reports


def test_delivered_after_failed_is_told_as_well() -> None:
    reports = Reports()
    reports.add(standing("failed"))
    launched = reports.launch()
    reports.add(standing("delivered"))
    assert launched is not None and launched.status == "failed"
    reports.told("m", "failed")
    assert told(reports) == "delivered"


def test_a_report_that_has_to_wait_is_told_later() -> None:
    reports = Reports()
    reports.add(standing("failed"))
    reports.launch()
    reports.again("m", 5.0)
    due = reports.due()
    assert due is not None and due > 5.0 and reports.knows("m")


def test_after_a_replay_the_same_word_is_told_anew() -> None:
    reports = Reports()
    reports.add(standing("failed"))
    assert told(reports) == "failed"
    reports.forget("m")
    reports.add(standing("failed"))
    assert told(reports) == "failed"


def test_what_was_to_be_told_of_a_replayed_message_is_not() -> None:
    reports = Reports()
    reports.add(standing("failed"))
    reports.forget("m")
    assert not reports
