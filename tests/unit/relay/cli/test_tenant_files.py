"""A tenant's file may be anybody's: what it asks for, and what it makes a terminal show."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from relay.cli.applying import document, references
from relay.cli.applying.document import TenantFileError
from relay.cli.speaking import in_words, visible


@pytest.mark.parametrize("name", ["CREDENTIALS_KEYS", "DATABASE_URL", "SECRET_KEY", "ADMIN_API_KEY"])
def test_no_tenant_is_given_a_secret_of_the_relays_own(name: str) -> None:
    with pytest.raises(TenantFileError, match="the relay's own"):
        references.opened(f"env:{name}", {name: "a secret"})


def test_a_file_that_says_that_it_is_empty_is_read_within_bounds(tmp_path: Path) -> None:
    """As /proc's do."""
    for path in (Path("/proc/kallsyms"), tmp_path / "large"):
        if not path.exists():
            path.write_bytes(b"x" * (references.MOST_BYTES + 1))
        with pytest.raises(TenantFileError, match="is larger than"):
            references.opened(f"file:{path}")


@pytest.mark.parametrize(
    "value", ["!!int ten", "!!bool maybe", "!!str 1", "! 1", "!!python/object:os.system x", "!!map {}"]
)
def test_tags_are_refused_with_their_line(value: str) -> None:
    with pytest.raises(TenantFileError, match=r"^line 2: tags \(!\)"):
        document.read(f"name: shop\ncontact: {value}\n")


def test_what_a_terminal_would_obey_is_shown_to_it_instead() -> None:
    text = '"n\\e[2Jame": 1\n"n\\e[2Jame": 2\n'
    with pytest.raises(click.ClickException) as told, in_words():
        document.read(text)
    assert told.value.message == "line 2: n\\u001b[2Jame stands here twice"
    assert visible("Käse \x9b2J \u202egnirts\nnext") == "Käse \\u009b2J \\u202egnirts\nnext"
