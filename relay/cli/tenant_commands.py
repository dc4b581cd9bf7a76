"""`relay tenants`: the commands; `relay.cli.departures` does what they say."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from relay.cli.speaking import id_text, in_words, read_settings, say


@click.group()
def tenants() -> None:
    """All that is kept of a tenant, taken out; and tenants that leave: closed, then deleted from every store."""


@tenants.command("close")
@click.argument("tenant_id", type=click.UUID)
@click.option("--days", type=click.FloatRange(0, 365), default=30, show_default=True, help="until it is deleted")
@click.option("--yes", is_flag=True, help="do not ask")
def close_tenant(tenant_id: UUID, days: float, yes: bool) -> None:
    """Close TENANT_ID: lines are let go, keys revoked, people shut out. Then the daemons delete it."""
    from relay.cli import departures

    if not yes:
        click.confirm("Its lines stop at once and have to be proved anew if it stays after all. Go on?", abort=True)
    with in_words():
        say(departures.close(read_settings(), str(tenant_id), days))


@tenants.command("delete")
@click.argument("tenant_id", type=click.UUID)
@click.option("--name", prompt="The tenant's name, to be sure", help="the tenant's name, typed")
def delete_tenant(tenant_id: UUID, name: str) -> None:
    """Delete TENANT_ID, which is closed, at once. It cannot be taken back."""
    from relay.cli import departures

    with in_words():
        say(departures.delete_now(read_settings(), str(tenant_id), name))


@tenants.command("keep")
@click.argument("tenant_id", type=click.UUID)
def keep_tenant(tenant_id: UUID) -> None:
    """Do not delete TENANT_ID after all, as long as that has not begun."""
    from relay.cli import departures

    with in_words():
        say(departures.keep(read_settings(), str(tenant_id)))


@tenants.command("deletions")
@click.argument("tenant_id", type=click.UUID, required=False)
def show_deletions(tenant_id: UUID | None) -> None:
    """How far deletions are, and the certificates of those that have ended."""
    from relay.cli import departures

    with in_words():
        say(departures.show(read_settings(), id_text(tenant_id)))


@tenants.command("export")
@click.argument("tenant_id", type=click.UUID)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--to", "recipients", multiple=True, metavar="AGE1...", help="encrypt for this recipient of age")
def export_tenant(tenant_id: UUID, folder: Path, recipients: tuple[str, ...]) -> None:
    """Write all that is kept of TENANT_ID into FOLDER. Cut off, the same command goes on where it was."""
    from relay.cli.exporting import tenant

    with in_words():
        say(tenant.export(read_settings(), str(tenant_id), folder, recipients))
