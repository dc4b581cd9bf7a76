"""The version stands in setup.cfg; everything else reads it or is held to it."""

from __future__ import annotations

import re
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

from click.testing import CliRunner

from relay.__main__ import main
from web.api import routes

ROOT = Path(__file__).parents[2]


def _version() -> str:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["metadata"]["version"]


def test_what_is_installed_is_what_setup_cfg_says() -> None:
    assert metadata.version("wa-genesys-relay") == _version(), "run `make venv`"


def test_the_command_and_the_api_s_description_name_it() -> None:
    assert _version() in CliRunner().invoke(main, ["--version"]).output
    assert routes.new_app("tests").info.version == _version()


def test_the_changelog_begins_with_it() -> None:
    """Either as what is being prepared, or as the newest release."""
    named = re.search(r"\d+\.\d+\.\d+", (ROOT / "CHANGELOG.md").read_text().partition("## [Unreleased]")[2])
    assert named
    assert named[0] == _version()
