"""When a condition begins and is over, when nobody is to be woken, and what people read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest

from relay.core.conditions import posted
from relay.core.conditions.checked import of_check, of_limits
from relay.core.conditions.comparing import FLAPS, OpenCondition, compare
from relay.core.conditions.digest import SHOWN, ConditionChange, compose
from relay.core.conditions.kinds import KINDS, SeenCondition
from relay.core.conditions.quiet import QuietHours
from relay.stores import catalogues

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
SEEN = SeenCondition("backlog", "line", "inbound", "long")
LEAVE = "https://relay.example/portal/mail/leave/x"


def an_open(gone: timedelta | None = None) -> OpenCondition:
    return OpenCondition(7, "backlog", "line", "inbound", NOW - gone if gone is not None else None)


def test_what_is_seen_first_begins_and_is_not_begun_again() -> None:
    assert compare([], [SEEN, SEEN], NOW).begun == [SEEN]
    again = compare([an_open()], [SEEN], NOW)
    assert (again.begun, again.back, again.gone, again.over) == ([], [], [], [])


def test_what_goes_and_comes_back_soon_is_one_condition() -> None:
    assert compare([an_open()], [], NOW).gone == [7]
    just_gone = an_open(FLAPS - timedelta(seconds=1))
    assert compare([just_gone], [SEEN], NOW).back == [7]
    assert compare([just_gone], [], NOW).over == []
    assert compare([an_open(FLAPS)], [], NOW).over == [7]
    assert compare([an_open(FLAPS)], [SEEN], NOW).over == [], "it holds at the very moment of the look"


@pytest.mark.parametrize(
    ("zone", "begin", "end", "now", "until"),
    [
        ("UTC", "22:00", "07:00", "2026-11-30T23:30", "2026-12-01T07:00"),
        ("UTC", "22:00", "07:00", "2026-11-30T06:59", "2026-11-30T07:00"),
        ("UTC", "22:00", "07:00", "2026-11-30T07:00", None),
        ("UTC", "12:00", "13:00", "2026-11-30T12:30", "2026-11-30T13:00"),
        ("UTC", "12:00", "12:00", "2026-11-30T12:00", None),
        ("Europe/Berlin", "22:00", "07:00", "2026-11-30T21:30", "2026-12-01T06:00"),
        # The night in which the clock is set back is an hour longer.
        ("Europe/Berlin", "22:00", "07:00", "2026-10-24T21:00", "2026-10-25T06:00"),
        ("Europe/Berlin", "22:00", "07:00", "2026-03-28T22:00", "2026-03-29T05:00"),
    ],
)
def test_quiet_hours_go_by_the_clock_where_the_person_is(
    zone: str, begin: str, end: str, now: str, until: str | None
) -> None:
    quiet = QuietHours(time.fromisoformat(begin), time.fromisoformat(end), zone)
    found = quiet.until(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def finding(check: str, level: str, **more: object) -> dict[str, object]:
    return {"side": "whatsapp", "check": check, "level": level, "text": "so it is", "advice": "", **more}


def test_what_a_check_says() -> None:
    soon, late = NOW.timestamp() + 86_400, NOW.timestamp() + 30 * 86_400
    found = of_check(
        "line",
        [
            finding("token", "refused"), finding("subscription", "refused"), finding("quality", "warning"),
            finding("token_life", "warning", ends_at=soon), finding("fields", "warning"),
        ],
        NOW.timestamp(),
    )  # fmt: skip
    assert [(one.kind, one.line_id, one.subject) for one in found] == [
        ("credentials_refused", None, "whatsapp"), ("line_refused", "line", "whatsapp"), ("number_quality", "line", ""),
        ("credentials_expiring", None, "whatsapp"),
    ]  # fmt: skip
    for life in (late, None):
        assert of_check("line", [finding("token_life", "warning", ends_at=life)], NOW.timestamp()) == []


@pytest.mark.parametrize(
    ("limits", "fallen"),
    [
        (["TIER_2K", "TIER_10K", "TIER_2K"], "it was 10,000 people a day, and is 2,000 people a day"),
        (["TIER_250", "TIER_UNLIMITED"], "it was without a limit, and is 250 people a day"),
        (["TIER_10K", "TIER_2K"], None),
        (["TIER_2K"], None),
        (["WORD", "TIER_2K"], None),
        ([], None),
    ],
)
def test_a_limit_that_fell_is_told_and_one_that_rose_is_not(limits: list[str], fallen: str | None) -> None:
    assert [one.detail for one in of_limits("line", limits)] == ([fallen] if fallen else [])


def change(what: str, n: int = 1, kind: str = "backlog", tenant: str = "Shop", **more: object) -> ConditionChange:
    values: dict[str, object] = {
        "id": n * 10 + (what == "over"), "condition_id": n, "what": what, "tenant_id": "t", "tenant": tenant,
        "kind": kind,
        "line_id": "l", "line": f"Shop, +49 {n}", "subject": "outbound", "detail": "it waits", "begun_at": NOW,
        "over_at": NOW + timedelta(hours=1) if what == "over" else None,
    }  # fmt: skip
    return ConditionChange(**(values | more))  # type: ignore[arg-type]


def test_a_mail_says_what_is_wrong_since_when_and_what_to_do() -> None:
    digest = compose([change("begun")], "https://relay.example", "Europe/Berlin", LEAVE, many_tenants=False)
    assert digest
    assert digest.subject == "Relay: Line Shop, +49 1: messages wait for long"
    kind = KINDS["backlog"]
    for text in ("Since 30 Nov 2026, 13:00 CET.", "It says: it waits.", kind.meaning, kind.advice, LEAVE,
                 "https://relay.example/portal/tenants/t\n", "https://relay.example/portal/account"):  # fmt: skip
        assert text in digest.text
    over = compose([change("over")], "https://relay.example", "UTC", LEAVE, many_tenants=False)
    assert over and over.subject == "Relay: Over: Line Shop, +49 1: messages wait for long"
    assert "From 30 Nov 2026, 12:00 UTC to 30 Nov 2026, 13:00 UTC." in over.text


def test_a_mail_is_in_its_readers_language() -> None:
    say = partial(catalogues.say, language="de")
    begun = [change("begun")]
    digest = compose(begun, "https://relay.example", "UTC", LEAVE, many_tenants=False, say=say, language="de")
    assert digest
    assert digest.subject == "Relay: Leitung Shop, +49 1: Nachrichten warten lange"
    assert "Seit 30 Nov. 2026, 12:00 UTC." in digest.text
    assert KINDS["backlog"].meaning not in digest.text


def test_many_are_summed_up_in_one_mail_of_a_bounded_length() -> None:
    changes = [change("begun", n) for n in range(1, 501)]
    changes += [change("over", 900), change("begun", 901), change("over", 901)]
    digest = compose(changes, "https://relay.example/", "UTC", LEAVE, many_tenants=True)
    assert digest
    assert digest.subject == "Relay: 500 wrong, 1 over, 1 came and went"
    assert digest.text.count("* Shop: Line") == SHOWN + 2
    assert f"... and {500 - SHOWN} more." in digest.text
    assert "https://relay.example/portal/conditions\n" in digest.text


@pytest.mark.parametrize("kind", [*KINDS, "unheard_of"])
def test_every_kind_has_words(kind: str) -> None:
    for subject in ("whatsapp", "", "order (en)"):
        digest = compose(
            [change("begun", kind=kind, subject=subject)], "https://x.example", "UTC", LEAVE, many_tenants=False
        )
        assert digest and "_" not in digest.subject.replace("order (en)", "")
    body = json.loads(posted.changed([change("begun", kind=kind)], "https://x.example", NOW))
    assert (body["type"], body["timestamp"]) == ("conditions.changed", "2026-11-30T12:00:00.000Z")
    assert body["data"]["changes"][0]["kind"] == kind
