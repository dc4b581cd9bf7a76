"""What the stand-in tells of a conversation afterwards, as Genesys does: ids without texts, then texts by their ids."""

import time
from typing import Any

import pytest

from sandbox.clock import iso_milliseconds
from tests.contract.conftest import INTEGRATION, Receiver, Sandbox, channel
from tests.contract.conftest import platform_refusal as refused
from tests.contract.sdk_models import problems
from tests.waiting import wait_until

PATH = "/conversations/messages"
VIEW = "conversation:message:view"


def talked(sandbox: Sandbox) -> tuple[str, list[str]]:
    """A conversation with a message each way: its id, and theirs."""
    written = sandbox.inject(
        "message", {"channel": channel(messageId="wamid.1"), "text": "Hello"}, "?prefetchConversationId=true"
    )
    reply = sandbox.control("/agent/messages", {"contact": "contact-1", "text": "How can I help?"})
    return written.json()["conversationId"], [written.json()["id"], reply["id"]]


def listed(sandbox: Sandbox, conversation: str) -> dict[str, list[str]]:
    participants = sandbox.platform("GET", f"{PATH}/{conversation}").json()["participants"]
    return {one["purpose"]: [each["messageId"] for each in one["messages"]] for one in participants}


def permitted(sandbox: Sandbox, *permissions: str) -> None:
    sandbox.control("/accounts", {"genesys": {"integration_id": INTEGRATION, "permissions": list(permissions)}})


def all_permissions(sandbox: Sandbox) -> list[str]:
    accounts = sandbox.control("/accounts")["genesys"]
    found: list[str] = next(one["permissions"] for one in accounts if one["integration_id"] == INTEGRATION)
    return found


def test_a_conversation_lists_ids_by_participant_and_no_texts(sandbox: Sandbox) -> None:
    conversation, ids = talked(sandbox)
    assert listed(sandbox, conversation) == {"customer": ids[:1], "agent": ids[1:]}
    answer = sandbox.platform("GET", f"{PATH}/{conversation}")
    assert "Hello" not in answer.text
    assert problems("MessageConversation", answer.json()) == []


def test_texts_are_had_by_the_ids_of_the_conversation(sandbox: Sandbox) -> None:
    conversation, ids = talked(sandbox)
    answer = sandbox.platform("POST", f"{PATH}/{conversation}/messages/bulk", json=[*ids, "0" * 32])
    assert problems("TextMessageListing", answer.json()) == []
    told = {one["id"]: one for one in answer.json()["entities"]}
    assert [told[one]["normalizedMessage"]["text"] for one in ids] == ["Hello", "How can I help?"]
    assert [told[one]["direction"] for one in ids] == ["inbound", "outbound"]
    assert told[ids[0]]["providerMessageId"] == "wamid.1"
    assert told[ids[1]]["normalizedMessage"]["originatingEntity"] == "Human"
    assert sandbox.platform("GET", f"{PATH}/{conversation}/messages/{ids[1]}").json() == told[ids[1]]


def test_a_bulk_names_one_to_a_thousand_ids(sandbox: Sandbox) -> None:
    conversation, _ = talked(sandbox)
    bodies: list[tuple[Any, str]] = [
        ({"ids": []}, "bad.request"), ([1], "bad.request"), ([], "invalid.value"), (["x"] * 1001, "invalid.value"),
    ]  # fmt: skip
    for body, code in bodies:
        refused(sandbox.platform("POST", f"{PATH}/{conversation}/messages/bulk", json=body), 400, code)


def test_other_conversations_and_other_organisations_are_not_found(sandbox: Sandbox) -> None:
    conversation, ids = talked(sandbox)
    refused(sandbox.platform("GET", f"{PATH}/nothing"), 404, "not.found")
    refused(sandbox.platform("GET", f"{PATH}/{conversation}/messages/{'0' * 32}"), 404, "not.found")
    other = {"integration_id": "other-9", "client_id": "c9", "client_secret": "s9", "organisation": "Other"}
    sandbox.control("/accounts", {"genesys": other | {"webhook_secret": "0123456789abcdef"}})
    form = {"grant_type": "client_credentials"}
    token = sandbox.http.post(f"{sandbox.url}/genesys/login/oauth/token", auth=("c9", "s9"), data=form).json()
    for method, path in (("GET", ""), ("POST", "/messages/bulk"), ("GET", f"/messages/{ids[0]}")):
        answer = sandbox.platform(method, f"{PATH}/{conversation}{path}", token["access_token"], json=ids)
        refused(answer, 404, "not.found")


def test_texts_need_a_permission_and_ids_need_none(sandbox: Sandbox) -> None:
    conversation, ids = talked(sandbox)
    before = all_permissions(sandbox)
    permitted(sandbox, *(one for one in before if one != VIEW))
    try:
        body = refused(
            sandbox.platform("POST", f"{PATH}/{conversation}/messages/bulk", json=ids), 403, "missing.permissions"
        )
        assert VIEW in body["message"]
        refused(sandbox.platform("GET", f"{PATH}/{conversation}/messages/{ids[0]}"), 403, "missing.permissions")
        refused(sandbox.platform("GET", f"{PATH}/{ids[0]}/details"), 403, "missing.permissions")
        assert sandbox.platform("GET", f"{PATH}/{conversation}").ok
    finally:
        permitted(sandbox, *before)


def test_a_conversation_that_ended_keeps_its_messages_under_its_own_id(sandbox: Sandbox) -> None:
    first, ids = talked(sandbox)
    sandbox.control("/agent/contact-1/end", {"integration_id": INTEGRATION})
    second, others = talked(sandbox)
    assert first != second
    assert (listed(sandbox, first), listed(sandbox, second)) == (
        {"customer": ids[:1], "agent": ids[1:]}, {"customer": others[:1], "agent": others[1:]},
    )  # fmt: skip
    participants = sandbox.platform("GET", f"{PATH}/{first}").json()["participants"]
    assert {one["state"] for one in participants} == {"disconnected"}


def test_what_nobody_knows_of_genesys_can_be_had_either_way(sandbox: Sandbox) -> None:
    conversation, ids = talked(sandbox)
    odd = {"history_dashed_ids": True, "history_names_ours": False}
    sandbox.control("/faults", {"genesys": odd})
    dashed = listed(sandbox, conversation)["customer"][0]
    assert (dashed.count("-"), dashed.replace("-", "")) == (4, ids[0])
    [told] = sandbox.platform("POST", f"{PATH}/{conversation}/messages/bulk", json=[dashed]).json()["entities"]
    assert (told["id"], told["providerMessageId"]) == (dashed, ids[0])
    sandbox.control("/faults", {"genesys": {"history_lag_seconds": 60}})
    assert listed(sandbox, conversation) == {"customer": [], "agent": []}


def test_a_webhook_is_given_up_after_five_repeats_on_a_schedule_that_can_be_shortened(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.subscribe(receiver)
    receiver.answer = lambda request: 503
    sandbox.control("/faults", {"genesys": {"webhook_wait_scale": 0.01}})
    sandbox.control("/agent/messages", {"contact": "contact-1", "text": "Nobody listens"})
    wait_until(lambda: sandbox.desk()[0]["webhook"]["state"] == "given up", message="the webhook to be given up")
    assert len(receiver.of("/genesys")) == 6


DETAILS = "/analytics/conversations/details/query"
LAST_DAY = {"interval": "2026-11-30T00:00:00Z/2026-12-01T00:00:00Z", "paging": {"pageSize": 100, "pageNumber": 1}}


def test_analytics_tell_which_conversations_began_on_the_days_of_an_interval(sandbox: Sandbox) -> None:
    conversation, _ = talked(sandbox)
    now = time.time()
    today = {"interval": f"{iso_milliseconds(now - 60)}/{iso_milliseconds(now + 1)}", "paging": LAST_DAY["paging"]}
    found = sandbox.platform("POST", DETAILS, json=today).json()
    assert problems("AnalyticsConversationQueryResponse", found) == []
    [told] = found["conversations"]
    assert (told["conversationId"], found["totalHits"]) == (conversation, 1)
    assert told["participants"][0]["sessions"][0]["addressTo"] == INTEGRATION
    another = [{"type": "and", "predicates": [{"dimension": "addressTo", "value": "another"}]}]
    assert sandbox.platform("POST", DETAILS, json=today | {"segmentFilters": another}).json() == {"totalHits": 0}
    long_ago = {"interval": "2020-01-01T00:00:00Z/2020-01-02T00:00:00Z"}
    assert sandbox.platform("POST", DETAILS, json=today | long_ago).json() == {"totalHits": 0}
    sandbox.control("/faults", {"genesys": {"history_lag_seconds": 60}})
    assert sandbox.platform("POST", DETAILS, json=today).json() == {"totalHits": 0}


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval": "today"},
        {"interval": "2026-11-30T00:00:00Z/2026-11-30T00:00:00Z"},
        {"interval": "2026-01-01T00:00:00Z/2026-03-01T00:00:00Z"},
        {"paging": {"pageSize": 101, "pageNumber": 1}},
        {"integration": "x"},
    ],
)
def test_a_query_of_conversations_is_looked_at_closely(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    assert sandbox.platform("POST", DETAILS, json=LAST_DAY | wrong).status_code == 400


def test_a_query_of_conversations_takes_its_permission(sandbox: Sandbox) -> None:
    permitted(sandbox, *(one for one in all_permissions(sandbox) if one != "analytics:conversationDetail:view"))
    told = refused(sandbox.platform("POST", DETAILS, json=LAST_DAY), 403, "missing.permissions")
    assert "analytics:conversationDetail:view" in told["message"]
