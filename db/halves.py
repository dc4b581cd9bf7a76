"""The two halves of a change of the schema, which every migration since 0.2.0 names in its second line.

    -- half: expand
    -- half: contract, for 0.3.0 and newer

Expand adds what the version before does not mind. Contract takes away what only versions before the named one used: it
is applied when none of those is at work, and keeps them out from then on.
"""

from __future__ import annotations

import re

HALF = re.compile(r"\A-- depends:.*\n-- half: (?:expand|contract, for (\d+\.\d+\.\d+) and newer)$", re.MULTILINE)


def oldest_version(text: str) -> str | None:
    """Of a contract, whose file's text this is, the oldest version that can work after it. None: it is none."""
    found = HALF.match(text)
    return found[1] if found else None
