"""Status ladder, retry, breaker, sort key, pair limit, queue numbers: the other pure decisions."""

from __future__ import annotations

import pytest

from relay.core.breaker import TROUBLES, Breaker
from relay.core.conversation.fallback import without_media
from relay.core.errors import CannotCarry, Fate, SendError, StoreError
from relay.core.limits import PAIR_BURST, PairBucket
from relay.core.messages import Media, Message, Person, Receipt, Update, dump, dump_short, load
from relay.core.ordering import sort_key
from relay.core.queues import queue_number
from relay.core.retry import (
    FILE_ATTEMPTS,
    FILE_SECONDS,
    LONGEST_STORE_WAIT,
    LONGEST_WAIT,
    OLDEST_SECONDS,
    POISON_ATTEMPTS,
    backoff,
    before_next_preparation,
    decide,
    send_again,
)
from relay.core.status import gather


def error(fate: Fate, **more: object) -> SendError:
    return SendError(fate, "131000", "text", **more)  # type: ignore[arg-type]


def test_receipts_of_one_message_are_gathered_and_the_earliest_time_counts() -> None:
    receipts = [
        ("m1", Receipt("w1", "delivered", 30.0)),
        ("m2", Receipt("w2", "failed", 5.0, None, "131026", "undeliverable")),
        ("m1", Receipt("w1", "delivered", 20.0)),
        ("m1", Receipt("w1", "sent", 10.0)),
    ]
    first, second = gather(receipts)
    assert (first.sent_at, first.delivered_at, first.failed_at) == (10.0, 20.0, None)
    assert (second.code, second.failed_at) == ("131026", 5.0)


def test_refused_is_final_and_trouble_is_tried_again() -> None:
    assert decide(error("refused"), 1, 0, line_works=False).next == "failed"
    assert decide(error("retry"), 100, 0, line_works=False).next == "retry"
    assert decide(error("unknown"), 1, 0, line_works=False).next == "unknown"


def test_a_poisoned_message_is_set_aside_only_where_others_go_through() -> None:
    assert decide(error("retry"), POISON_ATTEMPTS, 0, line_works=True).next == "dead"
    assert decide(error("retry"), POISON_ATTEMPTS - 1, 0, line_works=True).next == "retry"
    assert decide(error("unknown"), POISON_ATTEMPTS, 0, line_works=True).next == "dead"


def test_nothing_is_tried_for_ever() -> None:
    for fate in ("retry", "throttled", "credentials"):
        assert decide(error(fate), 1, OLDEST_SECONDS + 1, line_works=False).next == "dead"


def test_refused_credentials_and_a_throttled_line_are_not_the_messages_fault() -> None:
    assert not decide(error("credentials"), 1, 0, line_works=False).counts
    assert not decide(error("throttled", retry_after=3), 1, 0, line_works=False).counts
    assert decide(error("throttled", scope="contact"), 1, 0, line_works=False).counts


def test_what_could_not_be_delivered_for_now_goes_out_three_times_in_all() -> None:
    assert [send_again("retry", undelivered) for undelivered in (1, 2, 3, 4)] == [4, 16, None, None]
    assert send_again("throttled", 1) == 4
    others: tuple[Fate | None, ...] = ("refused", "credentials", "unknown", None)
    assert [send_again(fate, 1) for fate in others] == [None] * 4


def test_waits_grow_and_are_bounded() -> None:
    assert [backoff(n) for n in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert backoff(1000) == LONGEST_WAIT
    assert decide(error("throttled", retry_after=3600), 1, 0, line_works=False).delay == LONGEST_WAIT
    pair = [decide(error("throttled", scope="contact"), n, 0, line_works=True).delay for n in (1, 2, 3, 4)]
    assert pair == [1.0, 4.0, 16.0, LONGEST_WAIT]


def test_a_file_is_waited_for_while_waiting_can_help() -> None:
    def wait(why: Exception, preparations: int = 1, age: float = 0.0, others_work: bool = False) -> float | None:
        return before_next_preparation(why, preparations, age, others_work)

    assert wait(StoreError("away"), 1000, age=1e6) == LONGEST_STORE_WAIT
    assert wait(error("retry"), 2) == 0.5
    assert wait(error("retry"), FILE_ATTEMPTS) == LONGEST_WAIT, "the provider is in trouble, not the file"
    assert wait(error("retry"), FILE_ATTEMPTS - 1, others_work=True) == LONGEST_WAIT, "it may be so to others, too"
    assert wait(error("retry"), FILE_ATTEMPTS, others_work=True) is None
    assert wait(error("retry"), age=FILE_SECONDS + 1) is None
    assert wait(error("credentials")) == 0.25
    assert wait(error("refused")) is None, "the provider says that it is gone"
    assert wait(CannotCarry("too_large", "text")) is None


def test_the_breaker_opens_after_repeated_trouble_and_closes_with_a_successful_probe() -> None:
    breaker = Breaker()
    for _ in range(TROUBLES):
        assert breaker.permits(0.0)
        breaker.failed(error("retry"), 0.0, began=0.0)
    assert breaker.open
    assert not breaker.permits(0.0)
    later = breaker.wait(0.0)
    assert breaker.permits(later)
    breaker.granted()
    assert not breaker.permits(later), "one probe at a time"
    breaker.succeeded(later)
    assert not breaker.open
    assert breaker.permits(later)


def test_the_breakers_probes_are_never_more_than_thirty_seconds_apart() -> None:
    breaker, now = Breaker(), 0.0
    for _ in range(50):
        breaker.failed(error("unknown"), now, began=now)
        assert breaker.wait(now) <= LONGEST_WAIT
        now += breaker.wait(now)


def test_calls_that_began_before_the_breaker_opened_do_not_put_off_its_probe() -> None:
    breaker = Breaker()
    for _ in range(32):  # side by side, and all of them hang until their deadline
        breaker.failed(error("unknown"), 10.0, began=0.0)
    assert breaker.open
    assert breaker.wait(10.0) == 1.0
    breaker.granted()
    breaker.failed(error("unknown"), 11.5, began=5.0)
    assert not breaker.permits(12.0), "one probe at a time, whatever else comes back"
    breaker.failed(error("unknown"), 21.0, began=11.0)
    assert breaker.wait(21.0) == 2.0


def test_refused_credentials_open_the_breaker_at_once_and_a_timeout_is_never_taken_for_a_refusal() -> None:
    breaker = Breaker()
    breaker.failed(error("credentials"), 0.0, began=0.0)
    assert breaker.open
    assert breaker.credentials_refused
    breaker.failed(error("unknown"), 1.0, began=1.0)
    assert breaker.open
    assert not breaker.credentials_refused


def test_what_concerns_one_message_or_contact_is_no_trouble_of_the_line() -> None:
    breaker = Breaker()
    for _ in range(3 * TROUBLES):
        breaker.failed(error("refused"), 0.0, began=0.0)
        breaker.failed(error("throttled", scope="contact"), 0.0, began=0.0)
        breaker.failed(error("throttled"), 0.0, began=0.0)
    assert not breaker.open


def test_the_sort_key_takes_the_earlier_clock_at_the_providers_granularity() -> None:
    assert sort_key("whatsapp", 100.0, 100.9, 0).time == 100.0
    assert sort_key("whatsapp", 105.0, 100.9, 0).time == 100.0, "a provider's clock that runs ahead"
    assert sort_key("genesys", 100.29, 101.0, 0).time == 100.29
    first, second = sort_key("whatsapp", 100.0, 101.0, 0, 1), sort_key("whatsapp", 100.0, 101.0, 0, 2)
    assert first < second < sort_key("whatsapp", 100.0, 101.0, 1, 1)


def test_the_pair_limit_lets_a_burst_through_and_then_one_per_six_seconds() -> None:
    bucket = PairBucket()
    for _ in range(int(PAIR_BURST)):
        assert bucket.wait(0.0) == 0
        bucket.take(0.0)
    assert bucket.wait(0.0) == pytest.approx(6.0)
    assert bucket.wait(6.0) == 0


def test_queue_numbers_are_stable_and_spread() -> None:
    assert queue_number("line", "491701", 16) == queue_number("line", "491701", 16)
    assert len({queue_number("line", str(number), 16) for number in range(1000)}) == 16


def test_canonical_values_survive_the_trip_through_json_and_unknown_keys_are_ignored() -> None:
    message = Message("wamid.1", Person("491701", name="Ana"), 1.5, "image", media=Media("image", "image/png"))
    assert load(Message, dump(message)) == message
    assert load(Message, dump_short(message)) == message
    assert len(dump_short(message)) < len(dump(message))
    update = Update("whatsapp", "t", "l", "491701", 1.0, 0, {"x": [1]})
    assert load(Update, dump(update).replace(b'"version":1', b'"version":2,"new":true')).payload == {"x": [1]}


def test_a_file_that_cannot_be_carried_leaves_a_notice_and_its_caption() -> None:
    message = Message("w", Person("1"), 1.0, "document", media=Media("document", filename="a.pdf", caption="see"))
    said = without_media(message, "it is larger than 25 MB")
    assert said.media is None
    assert said.text == "see\n[document a.pdf could not be delivered: it is larger than 25 MB]"


def test_a_call_that_we_did_not_begin_is_nobodys_fault() -> None:
    decision = decide(SendError("retry", "lease_lost", "text"), POISON_ATTEMPTS, 0, line_works=True)
    assert (decision.next, decision.counts) == ("retry", False)
