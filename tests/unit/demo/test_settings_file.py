"""demo.__main__: the settings that another terminal reads."""

import os
import subprocess
from pathlib import Path

from demo.__main__ import settings_file


def test_a_shell_that_reads_it_has_the_settings_as_they_are(tmp_path: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path / "data"), "MAIL_FROM": "Relay <relay@x.example>", "KEY": "a'b $c"}
    said = subprocess.run(
        ["sh", "-c", 'set -a; . "$1"; set +a; printenv MAIL_FROM; printenv KEY', "sh", settings_file(env)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines() == ["Relay <relay@x.example>", "a'b $c"]
