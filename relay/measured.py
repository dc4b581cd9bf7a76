"""What one daemon reads of the whole installation by the minute, for /metrics.

Kept apart from what each process counts: the daemon that no longer reads shows nothing, instead of its last figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge: its help, and the names of its labels."""

    text: str
    labels: tuple[str, ...] = ()


FIGURES = {
    "relay_measured_timestamp_seconds": Figure("When the figures of the whole installation were read, in Unix time"),
    "relay_waiting_messages": Figure(
        "Messages that are not finished, 1,000 of each line, direction and state at most", ("direction", "cause")
    ),
    "relay_waiting_oldest_seconds": Figure("How long the oldest of them has waited", ("direction", "cause")),
    "relay_line_waiting_messages": Figure(
        "The same of each line, where METRICS_BY_LINE asks for it", ("line", "direction", "cause")
    ),
    "relay_line_waiting_oldest_seconds": Figure(
        "The same of each line, where METRICS_BY_LINE asks for it", ("line", "direction", "cause")
    ),
    "relay_queue_messages": Figure("Messages ready at the broker and not yet with a daemon", ("queue",)),
    "relay_credentials": Figure("Tenants' credentials by how the provider took them last", ("channel", "health")),
    "relay_lines": Figure("Lines by status", ("status",)),
    "relay_conditions": Figure("What is wrong now at lines and tenants, by kind", ("kind",)),
    "relay_daemons": Figure("Daemons whose lease is not over"),
    "relay_web_workers": Figure("Workers of web that were heard of in the last 15 seconds"),
    "relay_shards_unowned": Figure("Shards that no living daemon has"),
    "relay_database_moved": Figure("1: the database lies elsewhere than it did, and nobody has said why"),
    "relay_table_bytes": Figure("Disk that a table takes with its indexes", ("table",)),
    "relay_table_rows": Figure("PostgreSQL's estimate of a table's rows", ("table",)),
    "relay_certificate_expiry_timestamp_seconds": Figure(
        "When the certificate that a server shows ends, in Unix time", ("server",)
    ),
}

Series = Mapping[tuple[str, ...], float]
"""Values by those of the labels."""


class Measured(Collector):
    """Shows what it was told last; all of it at once."""

    def __init__(self) -> None:
        self._found: Mapping[str, Series] = {}

    def show(self, found: Mapping[str, Series]) -> None:
        """Of FIGURES. Nothing: somebody else reads them."""
        self._found = found

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self._found
        for name, figure in FIGURES.items():
            family = GaugeMetricFamily(name, figure.text, labels=figure.labels)
            for values, value in found.get(name, {}).items():
                family.add_metric(values, value)
            yield family


measured = Measured()
REGISTRY.register(measured)
