"""What Prometheus would make of our metrics: real scrapes before, in and after a trouble, and promtool's judgement."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "relay.rules.yml"
HEALTHY, TROUBLE, MENDED = 20, 30, 130
"""Minutes: so long all is well, then so long it is not, and then again it is."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scrape:
    """The values of all our series, and which of them only grow."""

    at: float
    values: dict[tuple[str, Labels], float]
    counters: frozenset[str]


def scrape() -> Scrape:
    """As /metrics shows it now."""
    at, values, counters = time.time(), {}, set()
    for family in text_string_to_metric_families(generate_latest(REGISTRY).decode()):
        if not family.name.startswith(("relay_", "web_")):
            continue
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                values[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
                if family.type in ("counter", "histogram"):
                    counters.add(sample.name)
    return Scrape(at, values, frozenset(counters))


def fires(alert: str, before: Scrape, during: Scrape, after: Scrape, folder: Path) -> list[bool]:
    """Whether it does at the end of each of the three. A minute of trouble adds to counters what `during` did."""
    keys = before.values.keys() | during.values.keys() | after.values.keys()
    series = [_series(*key, before, during, after) for key in sorted(keys)]
    firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) > bool 0 or vector(0)'
    ends = (HEALTHY, HEALTHY + TROUBLE, HEALTHY + TROUBLE + MENDED)
    return _promtool(series, firing, ends, folder)


def _series(name: str, labels: Labels, before: Scrape, during: Scrape, after: Scrape) -> dict[str, str]:
    of = [one.values.get((name, labels)) for one in (before, during, after)]
    phases = (HEALTHY, TROUBLE - 1, MENDED)
    if name in before.counters | during.counters:
        start, end = of[0] or 0.0, of[1] if of[1] is not None else of[0] or 0.0
        grown = start + (end - start) * TROUBLE
        first = f"{start}+0x{phases[0]}" if of[0] is not None else f"_x{phases[0] + 1}"
        values = f"{first} {start + end - start}+{end - start}x{phases[1]} {grown}+0x{phases[2]}"
    elif name.endswith("_timestamp_seconds"):
        values = _moments(of, [one.at for one in (before, during, after)], phases)
    else:
        parts = zip(of, phases, strict=True)
        values = " ".join(f"_x{n + 1}" if value is None else f"{value}+0x{n}" for value, n in parts)
    told = ", ".join(f"{one}={json.dumps(value)}" for one, value in (*labels, ("instance", "a"), ("job", "relay")))
    return {"series": f"{name}{{{told}}}", "values": values}


def _moments(of: list[float | None], at: list[float], phases: tuple[int, ...]) -> str:
    """promtool's time begins at 0: what is so far from now stays so far from each minute."""
    minute, parts = 0, []
    for value, now, n in zip(of, at, phases, strict=True):
        parts.append(f"_x{n + 1}" if value is None else f"{minute * 60 + value - now}+60x{n}")
        minute += n + 1
    return " ".join(parts)


def _promtool(series: list[dict[str, str]], firing: str, minutes: Sequence[int], folder: Path) -> list[bool]:
    """Yes or no at each minute: promtool compares with what is expected, which is that nothing fires."""
    asked = [{"expr": firing, "eval_time": f"{one}m", "exp_samples": [{"labels": "{}", "value": 0}]} for one in minutes]
    test = {"interval": "1m", "input_series": series, "promql_expr_test": asked}
    file = folder / "test.json"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    ended = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False)
    told = ended.stdout + ended.stderr
    differing = [int(at) for at in re.findall(r"time: (\d+)m,\s+exp: {} 0E\+00\s+got: {} 1E\+00", told)]
    assert told.count("FAILED") == bool(differing) or len(differing) == told.count("expr:"), told
    return [one in differing for one in minutes]
