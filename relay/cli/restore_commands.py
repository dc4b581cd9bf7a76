"""`relay restored`, `relay moved`: what somebody says of a database that is not where it was (docs/backup.md)."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from relay.cli.speaking import in_words, read_settings


@click.command()
@click.argument("lost_at", type=click.DateTime(), metavar="LOST_AT")
def restored(lost_at: datetime) -> None:
    """Take a database into use that was restored from a backup, with web and all daemons stopped.

    LOST_AT is when the installation was lost, in UTC, as 2026-12-01T02:15:00; say rather too late than too early. What
    it may have sent to WhatsApp until then is not sent again by itself. Genesys is asked what agents wrote since the
    backup.
    """
    from relay.cli import operator

    with in_words():
        found = operator.take_into_use(read_settings(), lost_at.replace(tzinfo=UTC))
    click.echo(f"{found.given_up} messages to WhatsApp waited in the backup and may have been sent: dead letters now")
    click.echo(f"{found.looked_for} messages to Genesys waited: they are looked for there before they are sent")
    click.echo(f"{found.lines} lines: Genesys is asked what agents wrote since the backup")
    click.echo("The database is in use from here on. Start web and the daemons now")


@click.command()
def moved() -> None:
    """Say that this database was moved, or its PostgreSQL upgraded, and that no backup was restored."""
    from relay.cli import operator

    with in_words():
        had_moved = operator.acknowledge_move(read_settings())
    click.echo("Written down: the database is at home here now" if had_moved else "The database has not moved")
