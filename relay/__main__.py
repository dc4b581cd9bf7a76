"""`relay run`, `relay migrate`: the daemon and the operator's commands."""

from gevent import monkey

monkey.patch_all()

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import gevent
import gevent.util

from conf.logging import configure
from conf.settings import Settings, SettingsError, load_settings


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    configure(settings.log_level, settings.log_format)
    return settings


@contextmanager
def _in_words() -> Iterator[None]:
    """What an operator can do something about is said in a sentence, without a traceback."""
    from db.migrate import ShardCountError
    from db.reshard import StillRunningError
    from db.sealing import SealError
    from relay.broker.errors import TopologyError
    from relay.core.errors import StoreError
    from relay.operator import NotNowError

    try:
        yield
    except (ShardCountError, StillRunningError, SealError, TopologyError, StoreError, NotNowError) as error:
        raise click.ClickException(str(error)) from None


@click.group()
def main() -> None:
    """Relay between WhatsApp Business Cloud API and Genesys Cloud Open Messaging."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release step)."""
    from db.migrate import migrate

    settings = _settings()
    with _in_words():
        applied = migrate(settings.database_url, settings.relay_shards)
    click.echo(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


@main.command()
@click.argument("shards", type=click.IntRange(1, 1024))
def reshard(shards: int) -> None:
    """Change the number of shards to SHARDS, with web and all daemons stopped."""
    from relay import operator

    with _in_words():
        count = operator.change_shards(_settings(), shards)
    click.echo(
        f"{count} conversations share {shards} shards now; set RELAY_SHARDS={shards} everywhere before you start"
    )


@main.group()
def keys() -> None:
    """The keys that seal the tenants' secrets."""


@keys.command()
def rotate() -> None:
    """Seal every secret anew with the first of CREDENTIALS_KEYS."""
    from relay import operator

    with _in_words():
        count = operator.rotate_keys(_settings())
    click.echo(f"{count} secrets are sealed with the newest key; the older keys may be removed from CREDENTIALS_KEYS")


@main.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    from relay.bootstrap import build_daemon

    with _in_words():
        service = build_daemon(_settings())
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, service.end)
    # Where is everybody? For the operator of a daemon that seems to stand still.
    gevent.signal_handler(signal.SIGUSR1, gevent.util.print_run_info)
    sys.exit(service.run())


if __name__ == "__main__":
    main()
