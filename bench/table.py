"""The table at the end: medians of all rounds, ratios, and a line for each goal."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

OWN = ("web", "daemon", "PostgreSQL", "RabbitMQ", "Redis")
"""What a message's CPU is the sum of. The rest is the object store's, the providers' and the load's."""

Figures = Mapping[str, Sequence[float]]


def full_load(figures: Figures, names: Sequence[str]) -> list[str]:
    """A row for each contender and kind of load that was measured."""
    done = [name for name in names if f"{name} rate" in figures]
    if not done:
        return []
    limit, peer = (_median(figures, f"{name} inbound rate") for name in ("limit", "peer"))
    lines = [
        f"{'full load':16}{'msg/s':>8}{'of limit':>9}{'x peer':>8}{'webhooks/s':>11}{'meanwhile':>10}"
        f"{'doubled':>8}{'swapped':>8}{'p50 s':>8}{'p95 s':>8}{'p99 s':>8}"
    ]
    for name in done:
        rate = median(figures, f"{name} rate")
        lines.append(
            f"{name:16}{rate:8.0f}{_ratio(rate, limit, '9.0%')}{_ratio(rate, peer, '8.2f')}"
            f"{median(figures, f'{name} webhooks rate'):11.0f}{median(figures, f'{name} rate while arriving'):10.0f}"
            f"{median(figures, f'{name} doubled'):8.0f}{median(figures, f'{name} swapped'):8.0f}"
            + "".join(f"{median(figures, f'{name} p{share}'):8.2f}" for share in (50, 95, 99))
        )
    return [*lines, "", *costs(figures, done)]


def costs(figures: Figures, names: Sequence[str]) -> list[str]:
    kinds = (*OWN, "S3", "providers", "load")
    lines = [
        f"{'a message costs':16}{'CPU ms':>8}{'x limit':>8}"
        + "".join(f"{kind:>11}" for kind in kinds)
        + f"{'statements':>11}{'commits':>9}{'WAL bytes':>10}{'disk bytes':>11}"
    ]
    limit = cpu(figures, "limit inbound") if "limit inbound" in names else None
    for name in names:
        each = "".join(f"{median(figures, f'{name} cpu {kind}'):11.3f}" for kind in kinds)
        calls, whole = _median(figures, f"{name} statements"), cpu(figures, name)
        lines.append(
            f"{name:16}{whole:8.2f}{_ratio(whole, limit, '8.1f')}{each}{_optional(calls, '11.2f')}"
            f"{median(figures, f'{name} commits'):9.3f}{median(figures, f'{name} wal'):10.0f}"
            f"{median(figures, f'{name} disk'):11.0f}"
        )
    return lines


def statements(told: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """What PostgreSQL spent on a message of the last round, by statement."""
    if name not in told:
        return []
    return [f"PostgreSQL for a message, {name}", f"{'µs':>8}{'calls':>9}  statement", *told[name], ""]


def cpu(figures: Figures, name: str) -> float:
    """Milliseconds of all processes that work for a message."""
    return sum(median(figures, f"{name} cpu {kind}") for kind in OWN)


def median(figures: Figures, name: str) -> float:
    return statistics.median(figures[name])


def _median(figures: Figures, name: str) -> float | None:
    return median(figures, name) if name in figures else None


def _ratio(value: float, base: float | None, form: str) -> str:
    return _optional(value / base if base else None, form)


def _optional(value: float | None, form: str) -> str:
    return "-".rjust(int(form.partition(".")[0])) if value is None else format(value, form)
