"""Web's start is short: while it lasts, providers are refused."""

from __future__ import annotations

import subprocess
import sys

from tests.processes import ROOT

SEEN = """
from gevent import monkey
monkey.patch_all()
import sys
import web.bootstrap
from web.api.routes import BLUEPRINTS
print([one for one in ("yoyo", "zxcvbn") if one in sys.modules], [one.name for one in BLUEPRINTS if one.paths])
"""


def test_what_only_some_requests_need_is_made_for_them() -> None:
    done = subprocess.run([sys.executable, "-c", SEEN], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] []", "what was imported, whose endpoints were described"
