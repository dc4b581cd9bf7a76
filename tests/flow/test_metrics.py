"""/metrics after traffic on many lines: no series is of a line, a tenant or a person, unless that was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.flow.chat import Chat
from tests.flow.installation import Installation, Line
from tests.waiting import wait_until

LINES = 5


@pytest.fixture(scope="module")
def lines(installation: Installation) -> list[Line]:
    return installation.tenant("Counted", LINES)


def series(installation: Installation) -> Iterator[tuple[str, dict[str, str]]]:
    """Of web and daemon: each sample's name and labels."""
    for port in ("WEB_PORT", "METRICS_PORT"):
        shown = requests.get(f"http://127.0.0.1:{installation.env[port]}/metrics", timeout=30).text
        for family in text_string_to_metric_families(shown):
            yield from ((sample.name, sample.labels) for sample in family.samples)


def talk(installation: Installation, line: Line, number: int) -> None:
    chat = Chat(installation, line, f"49176{number:08}").opened()
    chat.writes("good day")
    chat.answers("good day")
    chat.phone_reads_in_time("good day")


def test_no_series_belongs_to_a_line_a_tenant_or_a_person(installation: Installation, lines: list[Line]) -> None:
    for number, line in enumerate(lines):
        talk(installation, line, number)
    ours = {one for line in lines for one in (line.id, line.tenant_id, line.phone_number_id, line.integration_id)}
    ours |= {f"49176{number:08}" for number in range(LINES)}
    found = list(series(installation))
    assert len({name for name, _ in found}) > 50
    assert [name for name, labels in found if ours & set(labels.values())] == []
    assert [name for name, _ in found if name.startswith("relay_line_")] == []


def test_another_lines_traffic_adds_no_series(installation: Installation, lines: list[Line]) -> None:
    talk(installation, lines[0], 10)
    before = {(name, tuple(labels.items())) for name, labels in series(installation)}
    [newcomer] = installation.tenant("Counted as well")
    talk(installation, newcomer, 11)
    added = {(name, tuple(labels.items())) for name, labels in series(installation)} - before
    assert len(added) < 40, "only what was never seen before: a kind of call, an outcome"
    assert not [labels for _, labels in added if newcomer.id in str(labels) or newcomer.tenant_id in str(labels)]


def test_a_scrape_shows_the_figures_of_the_whole_installation(installation: Installation) -> None:
    def shown() -> set[str]:
        return {name for name, _ in series(installation)}

    wait_until(lambda: "relay_measured_timestamp_seconds" in shown(), 70, "a daemon to read them")
    assert {"relay_queue_messages", "relay_credentials", "relay_shards_unowned", "relay_table_bytes"} <= shown()
