"""`relay moved`: what somebody says of a database that is not where it was (docs/backup.md)."""

from __future__ import annotations

import click

from relay.cli.speaking import in_words, read_settings


@click.command()
def moved() -> None:
    """Say that this database was moved, or its PostgreSQL upgraded, and that no backup was restored."""
    from relay.cli import operator

    with in_words():
        had_moved = operator.acknowledge_move(read_settings())
    click.echo("Written down: the database is at home here now" if had_moved else "The database has not moved")
