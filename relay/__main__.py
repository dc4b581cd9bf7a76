"""`relay run`, `relay migrate`: the daemon and the operator's commands."""

from gevent import monkey

monkey.patch_all()

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import click
import gevent
import gevent.util

from conf import profile
from conf.loading import SettingsError, load_settings
from conf.logging import configure
from conf.settings import Settings
from relay.core.redaction import redacted


def _settings() -> Settings:
    try:
        settings = load_settings()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    configure(redacted, settings.log_level, settings.log_format)
    return settings


@contextmanager
def _in_words() -> Iterator[None]:
    """What an operator can do something about is said in a sentence, without a traceback."""
    from db.daemons.reshard import StillRunningError
    from db.errors import SchemaError
    from db.migrate import NotAllowedError, ShardCountError
    from db.sealing import SealError
    from db.tenants.changes import NotFoundError, TakenError
    from relay.broker.errors import TopologyError
    from relay.cli.operator import NotNowError
    from relay.core.errors import StoreError

    try:
        yield
    except SchemaError:
        text = "this database has no schema yet, or an older one than this program: run `relay migrate` first"
        raise click.ClickException(text) from None
    except (
        ShardCountError,
        NotAllowedError,
        StillRunningError,
        SealError,
        TopologyError,
        StoreError,
        NotNowError,
        NotFoundError,
        TakenError,
    ) as error:
        raise click.ClickException(str(error)) from None


@click.group()
@click.version_option(package_name="wa-genesys-relay")
def main() -> None:
    """Relay between WhatsApp Business Cloud API and Genesys Cloud Open Messaging."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release step)."""
    from relay.cli import operator

    with _in_words():
        applied = operator.bring_up_to_date(_settings())
    click.echo(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


@main.command()
@click.argument("shards", type=click.IntRange(1, 1024))
def reshard(shards: int) -> None:
    """Change the number of shards to SHARDS, with web and all daemons stopped."""
    from relay.cli import operator

    with _in_words():
        count = operator.change_shards(_settings(), shards)
    click.echo(
        f"{count} conversations share {shards} shards now; set RELAY_SHARDS={shards} everywhere before you start"
    )


@main.group()
def keys() -> None:
    """The keys that seal the tenants' secrets, and the keys that programs ask with."""


@keys.command()
def rotate() -> None:
    """Seal every secret anew with the first of CREDENTIALS_KEYS."""
    from relay.cli import operator

    with _in_words():
        count = operator.rotate_keys(_settings())
    click.echo(f"{count} secrets are sealed with the newest key; the older keys may be removed from CREDENTIALS_KEYS")


@keys.command()
def keep() -> None:
    """Let the keys that were made with a former ADMIN_API_KEY live on: they hang on today's from now on."""
    from relay.cli import operator

    with _in_words():
        count = operator.keep_keys(_settings())
    click.echo(f"{count} keys hang on the present ADMIN_API_KEY now")


@main.command()
@click.argument("tenant_id", required=False, type=click.UUID)
def doctor(tenant_id: UUID | None) -> None:
    """Look at this installation and at all active lines, or at all lines of TENANT_ID, and say what to do.

    The exit code is 1 when anything is refused.
    """
    from relay.cli import operator

    refused = False
    with _in_words():
        for found in operator.examine(_settings(), _text(tenant_id)):
            click.echo(found.table())
            refused = refused or found.refused
    click.echo("Something is refused: see the advice above." if refused else "Nothing is refused.")
    sys.exit(1 if refused else 0)


@main.group()
def users() -> None:
    """The people who log in to the portal."""


@users.command("add")
@click.argument("email")
@click.option("--name", help="as others see it; left out, the part before the @")
@click.option("--operator", "is_operator", is_flag=True, help="one of the operator's own people")
@click.option("--tenant", "tenant_id", type=click.UUID, help="the tenant whose user it is")
@click.option("--role", type=click.Choice(["admin", "viewer"]), help="what it may do there")
def add_user(email: str, name: str | None, is_operator: bool, tenant_id: UUID | None, role: str | None) -> None:
    """Add EMAIL, and tell its first password: once, and to be changed at the first log-in."""
    from relay.cli import people

    if is_operator == bool(tenant_id) or bool(tenant_id) != bool(role):
        raise click.UsageError("say --operator, or --tenant ID with --role admin or viewer")
    with _in_words():
        user, password = people.add(_settings(), email, name, _text(tenant_id), role)
    click.echo(f"{user.email} may log in as {user.role}, for 48 hours with this password, told only now: {password}")


@users.command("list")
def list_users() -> None:
    """Everybody who may log in."""
    from relay.cli import people

    with _in_words():
        for line in people.lines(_settings()):
            click.echo(line)


@users.command("unlock")
@click.argument("email")
def unlock_user(email: str) -> None:
    """Forget the wrong passwords of EMAIL."""
    from relay.cli import people

    with _in_words():
        user = people.unlock(_settings(), email)
    click.echo(f"{user.email} may try again")


@users.command("new-password")
@click.argument("email")
def new_password(email: str) -> None:
    """Give EMAIL a new password, told once. It has to be changed at the next log-in, within 48 hours."""
    from relay.cli import people

    with _in_words():
        user, password = people.new_password(_settings(), email)
    click.echo(f"{user.email} may log in with this password, told only now: {password}")


@users.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take the second factor of EMAIL away, for whoever has lost app and recovery codes."""
    from relay.cli import people

    with _in_words():
        user = people.reset_second_factor(_settings(), email)
    click.echo(f"{user.email} logs in with the password alone, then sets up a second factor anew where one is due")


@users.command("emergency")
@click.argument("email")
def let_user_in(email: str) -> None:
    """Give EMAIL a new password that admits for an hour, even where passwords are switched off."""
    from relay.cli import people

    with _in_words():
        user, password = people.emergency(_settings(), email)
    click.echo(f"{user.email} may log in for an hour, with this password, told only now: {password}")


@main.group()
def audit() -> None:
    """The audit log: who did what."""


@audit.command("seal")
def seal_audit() -> None:
    """Chain the newest lines now; daemons do it every ten seconds."""
    from relay.cli import auditing

    with _in_words():
        count, head = auditing.seal(_settings())
    click.echo(f"{count} lines were chained; the newest is {head}")


@audit.command("verify")
@click.option("--head", "noted", multiple=True, metavar="N:DIGEST", help="noted elsewhere: the chain must lead there")
def verify_audit(noted: tuple[str, ...]) -> None:
    """Look at every line, and say which is not as it was written. The exit code is 1 when there is one."""
    from relay.cli import auditing

    with _in_words():
        verdict = auditing.verify(_settings(), [auditing.head_of(one) for one in noted])
    for text in [*verdict.faults, *verdict.remarks]:
        click.echo(text)
    if verdict.count:
        click.echo(f"{verdict.count} faults: the audit log was changed.")
        sys.exit(1)
    click.echo(f"The chain of {verdict.head.n} lines is whole. Note its head elsewhere: {verdict.head}")


@audit.command("export")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
def export_audit(tenant_id: UUID | None) -> None:
    """All lines as JSON, one each, the oldest first."""
    from relay.cli import auditing

    with _in_words():
        for line in auditing.export(_settings(), _text(tenant_id)):
            click.echo(line)


@main.group("lines")
def lines_group() -> None:
    """Which tenant has which number and integration."""


@lines_group.command("find")
@click.argument("ref")
def find_lines(ref: str) -> None:
    """All lines that have REF: a phone number id, an integration id, or a line's own id."""
    from relay.cli import lines

    with _in_words():
        for line in lines.find(_settings(), ref):
            click.echo(line)


@lines_group.command("release")
@click.argument("line_id", type=click.UUID)
@click.option("--reason", help="told to the tenant's people")
def release_line(line_id: UUID, reason: str | None) -> None:
    """Let LINE_ID go: it owns its number and integration no more, its history stays with its tenant."""
    from relay.cli import lines

    with _in_words():
        click.echo(lines.release(_settings(), str(line_id), reason))


@main.command("catch-up")
@click.argument("line_id", type=click.UUID)
@click.option("--hours", type=click.FloatRange(0.1, 24), default=24, show_default=True, help="so far back")
@click.option("--show", is_flag=True, help="ask for nothing; tell how the newest one stands")
def catch_up(line_id: UUID, hours: float, show: bool) -> None:
    """Ask Genesys what its agents wrote on LINE_ID, and relay what never came here. The daemons do it.

    After an absence they do so by themselves. What is here already is not touched.
    """
    from relay.cli import catching_up

    with _in_words():
        settings = _settings()
        if show:
            click.echo(catching_up.standing(settings, str(line_id)))
            return
        for line in catching_up.line(settings, str(line_id), hours):
            click.echo(line)


@main.group("dead-letters")
def dead_letters() -> None:
    """Messages that were given up, and updates that nobody could decode."""


@dead_letters.command("list")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--broker", is_flag=True, help="the updates that nobody could decode")
def list_dead_letters(tenant_id: UUID | None, limit: int, broker: bool) -> None:
    """The newest ones."""
    from relay.cli import dead_letters as letters

    with _in_words():
        settings = _settings()
        found = letters.undecoded(settings, limit) if broker else letters.lines(settings, _text(tenant_id), limit)
        for line in found:
            click.echo(line)


@dead_letters.command("show")
@click.argument("message_id", type=click.UUID)
def show_dead_letter(message_id: UUID) -> None:
    """All that happened to MESSAGE_ID."""
    from relay.cli import dead_letters as letters

    with _in_words():
        for line in letters.story(_settings(), str(message_id)):
            click.echo(line)


@dead_letters.command("reasons")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
def dead_letter_reasons(tenant_id: UUID | None) -> None:
    """Count the newest 10,000 by why they were given up."""
    from relay.cli import dead_letters as letters

    with _in_words():
        for line in letters.reasons(_settings(), _text(tenant_id)):
            click.echo(line)


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
    with _in_words():
        settings = _settings()
        if broker:
            said = letters.bring_back(settings)
        elif tenant_id:
            wanted = DeadLetterSelection(_text(tenant_id), _text(line_id), None, reason_code, _utc(since), _utc(until))
            said = letters.begin(settings, wanted)
        else:
            said = letters.replay(settings, [str(one) for one in message_ids])
        for line in said:
            click.echo(line)


@dead_letters.command("replays")
@click.option("--tenant", "tenant_id", type=click.UUID, help="of this tenant only")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
def list_replays(tenant_id: UUID | None, limit: int) -> None:
    """What was begun with --all, and how far it is."""
    from relay.cli import dead_letters as letters

    with _in_words():
        for line in letters.replays_lines(_settings(), _text(tenant_id), limit):
            click.echo(line)


@dead_letters.command("cancel")
@click.argument("replay_id", type=click.UUID)
def cancel_replay(replay_id: UUID) -> None:
    """Put nothing more of REPLAY_ID back; what is on its way goes on."""
    from relay.cli import dead_letters as letters

    with _in_words():
        for line in letters.cancel(_settings(), str(replay_id)):
            click.echo(line)


def _utc(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given else None


def _text(given: UUID | None) -> str | None:
    return str(given) if given else None


@main.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    from relay.daemon.bootstrap import build_daemon

    settings = _settings()
    profile.warn(settings)
    with _in_words():
        service = build_daemon(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, service.end)
    # Where is everybody? For the operator of a daemon that seems to stand still.
    gevent.signal_handler(signal.SIGUSR1, gevent.util.print_run_info)
    sys.exit(service.run())


if __name__ == "__main__":
    main()
