"""The file with the settings: read as a shell would, and written with nobody else able to read it."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

ASSIGNED = re.compile(r"^(?:export +)?([A-Z][A-Z0-9_]*)=(.*)$")
PLACEHOLDER = "change-me"


def read(path: Path) -> dict[str, str]:
    """What is set in it. A line that no shell would take is left out; so is what still says change-me."""
    return dict(_assigned(path.read_text())) if path.exists() else {}


def write(path: Path, values: Mapping[str, str]) -> None:
    """The file, or the example where there is none, with these values in place of what stands there.

    Whoever reads it meanwhile sees the old one or the new one, whole. Only its owner may read it.
    """
    before = path.read_text() if path.exists() else resources.files("conf").joinpath("example.env").read_text()
    lines = before.splitlines()
    for name, value in values.items():
        places = [place for place, line in enumerate(lines) if line.startswith((f"{name}=", f"#{name}="))]
        # In place of the first that says something, or says its default.
        place = places[0] if places else len(lines)
        lines[place : place + 1] = [f"{name}={shlex.quote(value)}"]
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink()
        raise


def _assigned(text: str) -> list[tuple[str, str]]:
    found = []
    for line in text.splitlines():
        match = ASSIGNED.match(line.strip())
        if not match:
            continue
        try:
            words = shlex.split(match[2], comments=True)
        except ValueError:  # a quote that is not closed
            continue
        if len(words) <= 1 and PLACEHOLDER not in match[2]:
            found.append((match[1], words[0] if words else ""))
    return found
