"""What the agent's side is told of a message, and how often."""

from __future__ import annotations

from relay.core.conversation.reports import LOST_SECONDS, MOST_DUE, REMEMBERED, DeliveryReports
from relay.core.mailbox import RowStatus

NOW = 1_790_000_000.0


def row_status(report: str | None, message_id: str = "m") -> RowStatus:
    return RowStatus(message_id, "c", 0, "sent", report, "genesys-id", 1.0, "131026", "why")


def told(reports: DeliveryReports) -> str | None:
    report = reports.launch(NOW)
    if report is not None:
        reports.told(report.message_id, report.status)
    return report.status if report else None


def test_one_at_a_time_and_each_once() -> None:
    reports = DeliveryReports()
    reports.add(row_status("delivered", "a"))
    reports.add(row_status("failed", "b"))
    first = reports.launch(NOW)
    assert first is not None and reports.launch(NOW) is None
    reports.told(first.message_id, first.status)
    assert told(reports) == "failed"
    assert not reports and told(reports) is None


def test_a_standing_read_before_the_report_was_written_does_not_repeat_it() -> None:
    reports = DeliveryReports()
    reports.add(row_status("delivered"))
    assert told(reports) == "delivered"
    reports.add(row_status("delivered"))
    reports.add(row_status("failed"))
    assert not reports


def test_delivered_after_failed_is_told_as_well() -> None:
    reports = DeliveryReports()
    reports.add(row_status("failed"))
    launched = reports.launch(NOW)
    reports.add(row_status("delivered"))
    assert launched is not None and launched.status == "failed"
    reports.told("m", "failed")
    assert told(reports) == "delivered"


def test_a_report_that_has_to_wait_is_told_later() -> None:
    reports = DeliveryReports()
    reports.add(row_status("failed"))
    reports.launch(NOW)
    reports.again("m", 5.0, NOW)
    assert reports.due(NOW) == NOW + 5.0 and reports.knows("m")


def test_after_a_replay_the_same_word_is_told_anew() -> None:
    reports = DeliveryReports()
    reports.add(row_status("failed"))
    assert told(reports) == "failed"
    reports.forget("m")
    reports.add(row_status("failed"))
    assert told(reports) == "failed"


def test_what_was_to_be_told_of_a_replayed_message_is_not() -> None:
    reports = DeliveryReports()
    reports.add(row_status("failed"))
    reports.forget("m")
    assert not reports


def test_a_report_without_word_is_told_again() -> None:
    reports = DeliveryReports()
    reports.add(row_status("failed"))
    assert reports.launch(NOW) is not None
    assert reports.launch(NOW + LOST_SECONDS - 1) is None
    assert reports.launch(NOW + LOST_SECONDS) is not None


def test_what_is_kept_in_memory_is_bounded_and_the_rest_is_read_when_that_is_told() -> None:
    reports = DeliveryReports()
    for number in range(MOST_DUE + 1):
        reports.add(row_status("delivered", str(number)))
    assert len(reports) == MOST_DUE and reports.overflowed and not reports.wants_more
    for _ in range(MOST_DUE):
        assert told(reports) == "delivered"
    assert reports and reports.wants_more
    reports.load([row_status("delivered", str(MOST_DUE))])
    assert told(reports) == "delivered" and not reports


def test_of_what_was_told_only_the_last_are_remembered() -> None:
    reports = DeliveryReports()
    for number in range(REMEMBERED + 1):
        reports.add(row_status("delivered", str(number)))
        assert told(reports) == "delivered"
    reports.add(row_status("delivered", str(REMEMBERED)))
    assert not reports
