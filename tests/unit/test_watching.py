"""Alert rules, dashboard and runbook: what they name exists, promtool reads it, and every alert has its page."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from relay.__main__ import main
from tests.unit.test_metrics_doc import shown

ROOT = Path(__file__).parents[2]
PROMETHEUS, RUNBOOK = ROOT / "deploy" / "prometheus", ROOT / "docs" / "runbook"
RULES = [
    rule for group in yaml.safe_load((PROMETHEUS / "relay.rules.yml").read_text())["groups"] for rule in group["rules"]
]
PANELS = json.loads((ROOT / "deploy" / "grafana" / "relay.json").read_text())["panels"]
QUERIES = [target["expr"].replace("$__rate_interval", "5m") for panel in PANELS for target in panel["targets"]]
METRIC = re.compile(r"\b(?:relay|web)_\w+")
PARTS = ("_bucket", "_sum", "_count")
COMMAND = re.compile(r"`relay ([^`]+)`")
PAGE = re.compile(r"`/portal(/[^`]+)`")
SECTIONS = ["What it means", "How to see", "What to do"]


def promtool(*command: str | Path) -> None:
    ended = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in RULES), *QUERIES])
def test_only_metrics_that_exist_are_asked_for(expression: str) -> None:
    series = shown() | {name + part for name in shown() for part in PARTS}
    assert set(METRIC.findall(expression)) - series == set()


def test_promtool_reads_the_rules_and_the_configuration() -> None:
    promtool("check", "rules", PROMETHEUS / "relay.rules.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


def test_promtool_reads_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": expression} for n, expression in enumerate(QUERIES)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def test_each_panel_answers_a_question_of_its_own() -> None:
    titles = [panel["title"] for panel in PANELS]
    assert all(title.endswith("?") for title in titles)
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_each_alert_leads_to_its_page(rule: dict[str, Any]) -> None:
    page = ROOT / rule["annotations"]["runbook_url"]
    assert page == RUNBOOK / f"{rule['alert']}.md"
    assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) == SECTIONS
    assert rule["annotations"]["summary"] and rule["labels"]["severity"] in ("warning", "critical")


def test_no_page_is_left_without_an_alert() -> None:
    pages = {path.stem for path in RUNBOOK.glob("*.md")} - {"README"}
    assert pages == {rule["alert"] for rule in RULES}


def test_every_command_of_the_runbook_exists() -> None:
    named = [words.split() for page in RUNBOOK.glob("*.md") for words in COMMAND.findall(page.read_text())]
    assert len(named) > 10
    assert [" ".join(words) for words in named if not _exists(main, words)] == []


def test_every_page_of_the_portal_that_the_runbook_names_exists() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "web" / "portal").rglob("*.py"))
    named = {path for page in RUNBOOK.glob("*.md") for path in PAGE.findall(page.read_text())}
    assert named and [path for path in named if f'"{path}"' not in sources] == []


def _exists(command: click.Command, words: list[str]) -> bool:
    """The command, and each option behind it; what stands for somebody's values is let be."""
    if isinstance(command, click.Group):
        inner = command.get_command(click.Context(command), words[0]) if words else None
        return inner is not None and _exists(inner, words[1:])
    known = {name for parameter in command.params for name in parameter.opts}
    return all(word in known for word in words if word.startswith("--"))
