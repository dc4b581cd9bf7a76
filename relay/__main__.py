"""`relay run`, `relay migrate`: the daemon and the operator's commands."""

from gevent import monkey

monkey.patch_all()

import signal
import sys

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


@click.group()
def main() -> None:
    """Relay between WhatsApp Business Cloud API and Genesys Cloud Open Messaging."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release step)."""
    from db.migrate import ShardCountError, migrate

    settings = _settings()
    try:
        applied = migrate(settings.database_url, settings.relay_shards)
    except ShardCountError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


@main.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    from relay.bootstrap import build_daemon

    service = build_daemon(_settings())
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, service.end)
    # Where is everybody? For the operator of a daemon that seems to stand still.
    gevent.signal_handler(signal.SIGUSR1, gevent.util.print_run_info)
    sys.exit(service.run())


if __name__ == "__main__":
    main()
