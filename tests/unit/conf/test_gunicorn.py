"""conf/gunicorn.py: web refuses to start with settings that cannot work, and says so once."""

import subprocess
import sys
from pathlib import Path

from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[3]


def test_wrong_settings_stop_web_with_one_message() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "conf/gunicorn.py", "--bind", "127.0.0.1:0", "web.wsgi:app"]
    result = subprocess.run(command, env={"WEB_PORT": "0"}, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 1
    assert "DATABASE_URL is missing" in result.stderr
    assert result.stderr.count("The settings are not usable") == 1
    assert "Traceback" not in result.stderr
