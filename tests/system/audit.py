"""`make audit`: are there known vulnerabilities in what requirements/ names? Says so, too, when nobody could be asked.

Ends with 0 when every package was looked up and none has one, 1 when one has, 2 when not all could be looked up:
pip-audit itself ends with 0 when the database knows none of the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
EVERYTHING = REQUIREMENTS / "release.txt"
DATABASES = {"pypi": "PyPI", "osv": "OSV"}
SECONDS = 600

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2
Packages = list[dict[str, Any]]


def main() -> int:
    for database, name in DATABASES.items():
        packages, trouble = _asked(database)
        if packages is not None:
            code, words = verdict(packages, name)
            print(words)
            if code != UNKNOWN:
                return code
        else:
            print(f"{name} could not be asked: {trouble}")
    print("NOT AUDITED. Run this where one of these databases can be reached; until then nothing is known.")
    return UNKNOWN


def verdict(packages: Packages, database: str) -> tuple[int, str]:
    """The exit code and what to say of pip-audit's `dependencies`: each has `vulns`, or `skip_reason`."""
    found = [(one, vulnerability) for one in packages for vulnerability in one.get("vulns", [])]
    if found:
        return VULNERABLE, "\n".join(_told(one, vulnerability) for one, vulnerability in found)
    skipped = [one["name"] for one in packages if "vulns" not in one]
    if skipped or not packages:
        return UNKNOWN, f"{database} could not be asked about {len(skipped)} of {len(packages)} packages."
    return CLEAN, f"{database} knows of no vulnerability in any of {len(packages)} packages."


def _told(package: dict[str, Any], vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability.get("fix_versions") or []) or "no version"
    return f"VULNERABLE: {package['name']} {package['version']}, {vulnerability['id']}, mended in: {mended}"


def _asked(database: str) -> tuple[Packages | None, str]:
    """pip-audit's answer, or None and its last word where it gave none."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", database, "--format", "json"]
    options = ["--progress-spinner", "off", "--disable-pip", "--require-hashes", "--requirement", str(EVERYTHING)]
    ended = subprocess.run([*command, *options], capture_output=True, text=True, timeout=SECONDS)
    if not ended.stdout.strip():
        return None, (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return json.loads(ended.stdout)["dependencies"], ""


if __name__ == "__main__":
    sys.exit(main())
