"""Prices at the stand-in for Meta: what a status says of one message, and `pricing_analytics` of all."""

import time
from typing import Any

import pytest

from tests.contract.conftest import CUSTOMER, NUMBER, WABA, Receiver, Sandbox, items
from tests.contract.conftest import graph_refusal as refused

AD = {"source_type": "ad", "source_id": "1", "source_url": "https://ads.example"}


@pytest.fixture
def subscribed(sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    sandbox.subscribe(receiver)
    return sandbox


def prices(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    """Of delivered statuses, in their order."""
    statuses = items(receiver.wait_for("/meta", count), "statuses")
    return [each["pricing"] for each in statuses if each["status"] == "delivered"]


def test_service_messages_are_free_until_the_months_are_used_up(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/limits", {"meta": {"free_service_messages": 2}})
    subscribed.write("Hello")
    for place in range(3):
        subscribed.wait_for_status(subscribed.send_text(f"{place}").json()["messages"][0]["id"], "read")
    told = prices(receiver, 10)
    assert [each["type"] for each in told] == ["free_customer_service", "free_customer_service", "regular"]
    assert [each["billable"] for each in told] == [False, False, True]
    assert {each["category"] for each in told} == {"service"}


def test_after_an_ad_everything_is_free(subscribed: Sandbox, receiver: Receiver) -> None:
    subscribed.control("/limits", {"meta": {"free_service_messages": 0}})
    subscribed.write("From the ad", referral=True)
    subscribed.wait_for_status(subscribed.send_text("Hello").json()["messages"][0]["id"], "read")
    assert [each["type"] for each in prices(receiver, 4)] == ["free_entry_point"]


def test_a_reaction_costs_nothing(subscribed: Sandbox, receiver: Receiver) -> None:
    written = subscribed.write("Hello")
    body = {"to": f"+{CUSTOMER}", "type": "reaction", "reaction": {"message_id": written, "emoji": "👍"}}
    subscribed.wait_for_status(subscribed.send(body).json()["messages"][0]["id"], "sent")
    assert all("pricing" not in each for each in items(receiver.wait_for("/meta", 2), "statuses"))


def asked(sandbox: Sandbox, more: str, start: int = 0, end: int = 0) -> Any:
    now = int(time.time())
    span = f".start({start or now - 86_400}).end({end or now + 86_400})"
    return sandbox.graph("GET", WABA, params={"fields": f"pricing_analytics{span}{more}"})


def test_the_account_says_what_was_delivered(subscribed: Sandbox) -> None:
    subscribed.control("/limits", {"meta": {"free_service_messages": 1}})
    subscribed.write("Hello")
    for place in range(3):
        subscribed.wait_for_status(subscribed.send_text(f"{place}").json()["messages"][0]["id"], "read")
    dimensions = '.granularity(MONTHLY).dimensions(["PRICING_TYPE","PRICING_CATEGORY","COUNTRY","PHONE"])'
    answer = asked(subscribed, dimensions).json()
    assert answer["id"] == WABA
    points = [point for data in answer["pricing_analytics"]["data"] for point in data["data_points"]]
    known = {point["pricing_type"]: (point["volume"], point["country"], point["pricing_category"]) for point in points}
    assert known == {"REGULAR": (2, "DE", "SERVICE"), "FREE_CUSTOMER_SERVICE": (1, "DE", "SERVICE")}
    volume = asked(subscribed, '.granularity(DAILY).metric_types(["VOLUME"])').json()
    [point] = volume["pricing_analytics"]["data"][0]["data_points"]
    assert point["volume"] == 3
    assert set(point) == {"start", "end", "volume"}
    nobody = asked(subscribed, '.granularity(DAILY).phone_numbers(["4900000"])').json()
    assert nobody["pricing_analytics"]["data"] == [{"data_points": []}]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        ".granularity(HOURLY)",
        ".granularity(DAILY).colour(red)",
        ".granularity(DAILY).dimensions(COUNTRY)",
        '.granularity(DAILY).dimensions(["PLANET"])',
        '.granularity(DAILY).metric_types(["WEIGHT"])',
        ".granularity(DAILY),name",
    ],
)
def test_what_meta_would_not_understand_is_refused(subscribed: Sandbox, wrong: str) -> None:
    assert asked(subscribed, wrong).status_code == 400


def test_and_so_is_a_time_that_is_no_time_or_too_long_ago(subscribed: Sandbox) -> None:
    now = int(time.time())
    for start, end in ((now, now - 60), (now - 800 * 86_400, now)):
        refused(asked(subscribed, ".granularity(DAILY)", start, end), 100)


def test_a_number_tells_whether_it_is_on_a_phone_too(subscribed: Sandbox) -> None:
    answer = subscribed.graph("GET", NUMBER, params={"fields": "is_on_biz_app,platform_type,throughput"}).json()
    assert (answer["is_on_biz_app"], answer["platform_type"]) == (False, "CLOUD_API")
    subscribed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "is_on_biz_app": True}})
    answer = subscribed.graph("GET", NUMBER, params={"fields": "is_on_biz_app,platform_type,throughput"}).json()
    assert (answer["is_on_biz_app"], answer["throughput"]) == (True, {"level": "STANDARD"})
    subscribed.control("/accounts", {"whatsapp": {"phone_number_id": NUMBER, "is_on_biz_app": False}})
