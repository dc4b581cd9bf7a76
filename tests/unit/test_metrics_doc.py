"""docs/metrics.md has every metric, and none that is not there; and labels are few, whatever is counted."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import REGISTRY

import relay.daemon.bootstrap
import web.bootstrap

ROOT = Path(__file__).parents[2]
PROCESSES = (relay.daemon.bootstrap, web.bootstrap)
ROW = re.compile(r"^\| `((?:relay|web)_\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def shown() -> set[str]:
    """The names under which a scrape shows them, without the parts of a histogram."""
    found = (f"{one.name}_total" if one.type == "counter" else one.name for one in REGISTRY.collect())
    return {name for name in found if name.startswith(("relay_", "web_"))}


def test_every_metric_is_told_and_no_other() -> None:
    told = [name for name, _, _ in ROW.findall((ROOT / "docs/metrics.md").read_text())]
    assert sorted(told) == sorted(shown())


def test_each_has_a_unit_and_a_question() -> None:
    for name, unit, question in ROW.findall((ROOT / "docs/metrics.md").read_text()):
        assert unit.strip(), name
        assert "?" in question or "METRICS_BY_LINE" in question, name
