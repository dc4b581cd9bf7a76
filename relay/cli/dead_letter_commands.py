"""`relay dead-letters ...`: what each command takes, and which of `relay.cli.dead_letters` it calls."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from relay.cli.speaking import id_text, in_words, read_settings, say


@click.group("dead-letters")
def dead_letters() -> None:
    """Messages that were given up, and updates that nobody could decode."""


@dead_letters.command("list")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--broker", is_flag=True, help="the updates that nobody could decode")
def list_dead_letters(tenant_id: UUID | None, limit: int, broker: bool) -> None:
    """The newest ones."""
    from relay.cli import dead_letters as letters

    with in_words():
        settings = read_settings()
        found = letters.undecoded(settings, limit) if broker else letters.lines(settings, id_text(tenant_id), limit)
        say(found)


@dead_letters.command("show")
@click.argument("message_id", type=click.UUID)
def show_dead_letter(message_id: UUID) -> None:
    """All that happened to MESSAGE_ID."""
    from relay.cli import dead_letters as letters

    with in_words():
        say(letters.story(read_settings(), str(message_id)))


@dead_letters.command("reasons")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
def dead_letter_reasons(tenant_id: UUID | None) -> None:
    """Count the newest 10,000 by why they were given up."""
    from relay.cli import dead_letters as letters

    with in_words():
        say(letters.reasons(read_settings(), id_text(tenant_id)))


@dead_letters.command("replay")
@click.argument("message_ids", type=click.UUID, nargs=-1)
@click.option("--tenant", "tenant_id", type=click.UUID, help="with --all: of this tenant")
@click.option("--all", "everything", is_flag=True, help="all of the tenant that match, by the daemons, step by step")
@click.option("--reason", "reason_code", help="with --all: given up for this reason code")
@click.option("--line", "line_id", type=click.UUID, help="with --all: of this line")
@click.option("--since", type=click.DateTime(), help="with --all: arrived then or later, UTC")
@click.option("--until", type=click.DateTime(), help="with --all: arrived before then, UTC")
@click.option("--broker", is_flag=True, help="the updates that nobody could decode")
def replay_dead_letters(
    message_ids: tuple[UUID, ...],
    tenant_id: UUID | None,
    everything: bool,
    reason_code: str | None,
    line_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    broker: bool,
) -> None:
    """Send MESSAGE_IDS again, or --tenant ID --all. Each keeps its place in its conversation."""
    from db.mailbox.dead_letters import DeadLetterSelection
    from relay.cli import dead_letters as letters

    filters = (reason_code, line_id, since, until)
    if sum((bool(message_ids), everything, broker)) != 1 or everything != bool(tenant_id):
        raise click.UsageError("name messages, or say --tenant ID --all, or --broker")
    if any(filters) and not everything:
        raise click.UsageError("--reason, --line, --since and --until go with --tenant ID --all")
    with in_words():
        settings = read_settings()
        if broker:
            said = letters.bring_back(settings)
        elif tenant_id:
            wanted = DeadLetterSelection(
                id_text(tenant_id), id_text(line_id), None, reason_code, _utc(since), _utc(until)
            )
            said = letters.begin(settings, wanted)
        else:
            said = letters.replay(settings, [str(one) for one in message_ids])
        say(said)


@dead_letters.command("replays")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
def list_replays(tenant_id: UUID | None, limit: int) -> None:
    """What was begun with --all, and how far it is."""
    from relay.cli import dead_letters as letters

    with in_words():
        say(letters.replays_lines(read_settings(), id_text(tenant_id), limit))


@dead_letters.command("cancel")
@click.argument("replay_id", type=click.UUID)
def cancel_replay(replay_id: UUID) -> None:
    """Put nothing more of REPLAY_ID back; what is on its way goes on."""
    from relay.cli import dead_letters as letters

    with in_words():
        say(letters.cancel(read_settings(), str(replay_id)))


def _utc(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given else None
