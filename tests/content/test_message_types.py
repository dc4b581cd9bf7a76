"""Every row of docs/message-types.md, end to end: web, broker, daemon, and the stand-ins of both providers."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
import requests

from sandbox.demo_templates import TEMPLATES as DEMO_TEMPLATES
from tests.content.rows import AT_ONCE
from tests.content.rows_inbound import inbound
from tests.content.rows_outbound import outbound
from tests.content.rows_programs import programs
from tests.contract.sdk_models import problems
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

MODELS = {
    "inbound message": "OpenInboundNormalizedMessage",
    "structured response": "OpenInboundStructuredResponseMessage",
    "receipt": "OpenInboundNormalizedReceipt",
}
TEMPLATES = [
    {"name": "reply_waiting", "language": "en", "body": "We have an answer for you: {{1}}"},
    {
        "name": "order_update",
        "language": "en",
        "body": "{{1}}, your order {{2}} is on its way.",
        "buttons": [{"type": "QUICK_REPLY", "text": "Stop updates"}],
    },
    *(one for one in DEMO_TEMPLATES if one["name"] in ("new_season", "weekend_offer")),
]


@pytest.fixture(scope="module")
def results(installation: Installation, line: Line) -> Iterator[dict[str, Future[None]]]:
    """All rows at once, each with a customer of its own."""
    account = {"whatsapp": {"phone_number_id": line.phone_number_id, "templates": TEMPLATES}}
    installation.control("POST", "/accounts", account)
    _listed(installation, line)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {
            f"{test}: {name}": row
            for test, table in (("in", inbound), ("out", outbound), ("sent", programs))
            for name, row in table.begin(installation, line, pool).items()
        }
        yield begun
        for row in begun.values():
            row.cancel()


def _listed(installation: Installation, line: Line) -> None:
    """The relay knows the account's templates: what their buttons are, it has nowhere else."""
    path = f"/api/tenants/{line.tenant_id}/lines/{line.id}/templates"

    def known() -> bool:
        url, key = installation.env["PUBLIC_URL"], installation.env["ADMIN_API_KEY"]
        requests.post(f"{url}{path}/read", headers={"Authorization": f"Bearer {key}"}, timeout=30)  # 409: being read
        return any(one["name"] == "weekend_offer" for one in installation.api("GET", path)["items"])

    wait_until(known, message="the templates to be listed", interval=0.5)


@pytest.mark.parametrize("row", inbound.rows)
def test_inbound(results: dict[str, Future[None]], row: str) -> None:
    results[f"in: {row}"].result()


@pytest.mark.parametrize("row", outbound.rows)
def test_outbound(results: dict[str, Future[None]], row: str) -> None:
    results[f"out: {row}"].result()


@pytest.mark.parametrize("row", programs.rows)
def test_sent(results: dict[str, Future[None]], row: str) -> None:
    results[f"sent: {row}"].result()


def test_genesys_own_sdk_knows_every_body_that_was_sent_there(
    installation: Installation, results: dict[str, Future[None]]
) -> None:
    """Of all rows: no field that its models do not have, none missing, no value that is in no enum."""
    wait(results.values())
    sent = installation.control("GET", "/agent/bodies")["bodies"]
    assert {one["call"] for one in sent} == set(MODELS)
    wrong = [(one["call"], problem) for one in sent for problem in problems(MODELS[one["call"]], one["body"])]
    assert not wrong, wrong[:10]
