"""An audit that could ask nobody is no clean one, though pip-audit ends with 0 when it knows none of the packages."""

from __future__ import annotations

import pytest

from tests.system.audit import CLEAN, UNKNOWN, VULNERABLE, verdict

LOOKED_UP = {"name": "flask", "version": "3.1.3", "vulns": []}
SKIPPED = {"name": "click", "skip_reason": "Dependency not found on PyPI and could not be audited: click (8.5.1)"}
HIT = {
    "name": "pillow",
    "version": "9.0.0",
    "vulns": [{"id": "PYSEC-2022-10", "fix_versions": ["9.0.1"], "aliases": ["CVE-2022-22817"], "description": "x"}],
}


@pytest.mark.parametrize("packages", [[], [SKIPPED], [LOOKED_UP, SKIPPED]])
def test_what_was_not_looked_up_is_not_called_clean(packages: list[dict[str, object]]) -> None:
    code, words = verdict(packages, "PyPI")
    assert code == UNKNOWN != 0
    assert words.startswith("PyPI could not be asked about")


@pytest.mark.parametrize("others", [[], [LOOKED_UP], [SKIPPED]])
def test_one_vulnerable_package_is_named_with_what_mends_it(others: list[dict[str, object]]) -> None:
    code, words = verdict([*others, HIT], "PyPI")
    assert (code, words) == (VULNERABLE, "VULNERABLE: pillow 9.0.0, PYSEC-2022-10, mended in: 9.0.1")


def test_clean_is_only_what_was_looked_up_whole() -> None:
    assert verdict([LOOKED_UP, LOOKED_UP], "OSV") == (CLEAN, "OSV knows of no vulnerability in any of 2 packages.")
