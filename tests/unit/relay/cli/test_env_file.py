"""The file of settings that `relay init` writes, and a shell reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from relay.cli import env_file

ODD = ["plain", "with blank", "a'b", 'a"b', "$HOME `id` \\", "p&q;r#s", "ünï", ""]


@pytest.mark.parametrize("value", ODD)
def test_a_shell_reads_what_was_written(tmp_path: Path, value: str) -> None:
    path = tmp_path / ".env"
    env_file.write(path, {"SECRET_KEY": value, "NEWER": value})
    shown = 'set -a; . ./.env; printf "%s|%s" "$SECRET_KEY" "$NEWER"'
    done = subprocess.run(["sh", "-c", shown], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{value}|{value}"
    assert env_file.read(path)["SECRET_KEY"] == value


def test_what_still_says_change_me_is_not_set(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    env_file.write(path, {"PUBLIC_URL": "https://relay.example"})
    assert env_file.read(path) == {"PUBLIC_URL": "https://relay.example"}


def test_comments_and_other_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nexport A=1 # why\nB='2\nPUBLIC_URL=old\n")
    env_file.write(path, {"PUBLIC_URL": "new", "C": "3"})
    assert path.read_text() == "# mine\nexport A=1 # why\nB='2\nPUBLIC_URL=new\nC=3\n"
    assert env_file.read(path) == {"A": "1", "PUBLIC_URL": "new", "C": "3"}
