"""What every command begins with: settings that are right, and trouble said in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import click

from conf.loading import SettingsError, load_settings
from conf.logging import configure
from conf.settings import Settings
from relay.core.redaction import redacted

# What a terminal obeys instead of showing it: C0 and C1 but the end of a line, and what turns the direction of writing.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class NotNowError(RuntimeError):
    """The command cannot run as things stand; the text says what to do."""


def read_settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    configure(redacted, settings.log_level, settings.log_format)
    return settings


@contextmanager
def in_words() -> Iterator[None]:
    """What an operator can do something about is said in a sentence, without a traceback."""
    from db.daemons.reshard import StillRunningError
    from db.daemons.restore import WrongTimeError
    from db.daemons.versions import WrongVersionError
    from db.endpoints.registry import TooManyEndpointsError
    from db.errors import SchemaError
    from db.migrate import MigrationUnderWayError, NotAllowedError, ShardCountError
    from db.sealing import SealError
    from db.tenants.changes import NotFoundError, TakenError
    from db.whole import ChangedMeanwhileError
    from relay.broker.errors import TopologyError
    from relay.cli.applying.document import TenantFileError
    from relay.cli.applying.plan import NotPlannedError
    from relay.cli.exporting.folder import FolderError
    from relay.core.errors import StoreError
    from relay.core.retention import RetentionError

    try:
        yield
    except SchemaError:
        text = "this database has no schema yet, or an older one than this program: run `relay migrate` first"
        raise click.ClickException(text) from None
    except (
        ShardCountError,
        WrongVersionError,
        MigrationUnderWayError,
        NotAllowedError,
        StillRunningError,
        WrongTimeError,
        SealError,
        TopologyError,
        StoreError,
        NotNowError,
        NotFoundError,
        TakenError,
        RetentionError,
        TenantFileError,
        NotPlannedError,
        FolderError,
        TooManyEndpointsError,
        ChangedMeanwhileError,
    ) as error:
        raise click.ClickException(visible(str(error))) from None


def visible(text: str) -> str:
    """A tenant's words, or a file's, as they are shown on a terminal: none of them can rewrite what stands there."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(visible(line))


def id_text(given: UUID | None) -> str | None:
    return str(given) if given else None
