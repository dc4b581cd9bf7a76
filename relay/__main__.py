"""`relay run`, `relay migrate`: the daemon and the operator's commands."""

from gevent import monkey

monkey.patch_all()

from conf import garbage

garbage.look_seldom()

import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import click
import gevent
import gevent.util

from conf import profile
from relay.cli.dead_letter_commands import dead_letters
from relay.cli.restore_commands import moved, restored
from relay.cli.speaking import id_text, in_words, read_settings, say
from relay.cli.tenant_commands import tenants
from relay.core.releases import VERSION


@click.group()
@click.version_option(VERSION)
def main() -> None:
    """Relay between WhatsApp Business Cloud API and Genesys Cloud Open Messaging."""


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release step)."""
    from relay.cli import operator

    with in_words():
        applied = operator.bring_up_to_date(read_settings())
    click.echo(f"applied: {', '.join(applied)}" if applied else "the database is up to date")


@main.command("init")
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), default=".env", show_default=True)
def first_start(path: Path) -> None:
    """Set this installation up: ask what only you know, make keys, check each server, migrate, make the first operator.

    What the environment or the file says already is not asked. Run it again after trouble: it goes on where it was.
    """
    from relay.cli import first_start

    with in_words():
        settings = first_start.settle(path, dict(os.environ))
        told = first_start.first_operator(settings)
        click.echo(f"\n{path} has all settings, and secrets: keep a copy where you keep secrets.")
        click.echo(told or "There is an operator already; `relay users list` tells who.")
        click.echo(
            "Start web and a daemon with these settings now, as the README says. Then `relay doctor` looks at it all."
        )


@main.command()
@click.argument("shards", type=click.IntRange(1, 1024))
def reshard(shards: int) -> None:
    """Change the number of shards to SHARDS, with web and all daemons stopped."""
    from relay.cli import operator

    with in_words():
        count = operator.change_shards(read_settings(), shards)
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

    with in_words():
        count = operator.rotate_keys(read_settings())
    click.echo(f"{count} secrets are sealed with the newest key; the older keys may be removed from CREDENTIALS_KEYS")


@keys.command()
def keep() -> None:
    """Let the keys that were made with a former ADMIN_API_KEY live on: they hang on today's from now on."""
    from relay.cli import operator

    with in_words():
        count = operator.keep_keys(read_settings())
    click.echo(f"{count} keys hang on the present ADMIN_API_KEY now")


@main.command()
@click.argument("tenant_id", required=False, type=click.UUID)
def doctor(tenant_id: UUID | None) -> None:
    """Look at this installation and at all active lines, or at all lines of TENANT_ID, and say what to do.

    The exit code is 1 when anything is refused.
    """
    from relay.cli import operator

    refused = False
    with in_words():
        for found in operator.examine(read_settings(), id_text(tenant_id)):
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
    with in_words():
        user, password = people.add(read_settings(), email, name, id_text(tenant_id), role)
    click.echo(f"{user.email} may log in as {user.role}, for 48 hours with this password, told only now: {password}")


@users.command("list")
def list_users() -> None:
    """Everybody who may log in."""
    from relay.cli import people

    with in_words():
        say(people.lines(read_settings()))


@users.command("unlock")
@click.argument("email")
def unlock_user(email: str) -> None:
    """Forget the wrong passwords of EMAIL."""
    from relay.cli import people

    with in_words():
        user = people.unlock(read_settings(), email)
    click.echo(f"{user.email} may try again")


@users.command("new-password")
@click.argument("email")
def new_password(email: str) -> None:
    """Give EMAIL a new password, told once. It has to be changed at the next log-in, within 48 hours."""
    from relay.cli import people

    with in_words():
        user, password = people.new_password(read_settings(), email)
    click.echo(f"{user.email} may log in with this password, told only now: {password}")


@users.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """Take the second factor of EMAIL away, for whoever has lost app and recovery codes."""
    from relay.cli import people

    with in_words():
        user = people.reset_second_factor(read_settings(), email)
    click.echo(f"{user.email} logs in with the password alone, then sets up a second factor anew where one is due")


@users.command("emergency")
@click.argument("email")
def let_user_in(email: str) -> None:
    """Give EMAIL a new password that admits for an hour, even where passwords are switched off."""
    from relay.cli import people

    with in_words():
        user, password = people.emergency(read_settings(), email)
    click.echo(f"{user.email} may log in for an hour, with this password, told only now: {password}")


@main.group()
def audit() -> None:
    """The audit log: who did what."""


@audit.command("seal")
def seal_audit() -> None:
    """Chain the newest lines now; daemons do it every ten seconds."""
    from relay.cli import auditing

    with in_words():
        count, head = auditing.seal(read_settings())
    click.echo(f"{count} lines were chained; the newest is {head}")


@audit.command("verify")
@click.option("--head", "noted", multiple=True, metavar="N:DIGEST", help="noted elsewhere: the chain must lead there")
def verify_audit(noted: tuple[str, ...]) -> None:
    """Look at every line, and say which is not as it was written. The exit code is 1 when there is one."""
    from relay.cli import auditing

    with in_words():
        verdict = auditing.verify(read_settings(), [auditing.head_of(one) for one in noted])
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

    with in_words():
        for line in auditing.export(read_settings(), id_text(tenant_id)):
            click.echo(line)


@main.group("lines")
def lines_group() -> None:
    """Which tenant has which number and integration."""


@lines_group.command("find")
@click.argument("ref")
def find_lines(ref: str) -> None:
    """All lines that have REF: a phone number id, an integration id, or a line's own id."""
    from relay.cli import lines

    with in_words():
        say(lines.find(read_settings(), ref))


@lines_group.command("release")
@click.argument("line_id", type=click.UUID)
@click.option("--reason", help="told to the tenant's people")
def release_line(line_id: UUID, reason: str | None) -> None:
    """Let LINE_ID go: it owns its number and integration no more, its history stays with its tenant."""
    from relay.cli import lines

    with in_words():
        click.echo(lines.release(read_settings(), str(line_id), reason))


@main.command("catch-up")
@click.argument("line_id", type=click.UUID)
@click.option("--hours", type=click.FloatRange(0.1, 24), default=24, show_default=True, help="so far back")
@click.option("--show", is_flag=True, help="ask for nothing; tell how the newest one stands")
def catch_up(line_id: UUID, hours: float, show: bool) -> None:
    """Ask Genesys what its agents wrote on LINE_ID, and relay what never came here. The daemons do it.

    After an absence they do so by themselves. What is here already is not touched.
    """
    from relay.cli import catching_up

    with in_words():
        settings = read_settings()
        if show:
            click.echo(catching_up.standing(settings, str(line_id)))
            return
        say(catching_up.line(settings, str(line_id), hours))


@main.command()
@click.argument("tenant_id", type=click.UUID)
@click.argument("contact", required=False)
@click.option("--show", "erasure_id", type=click.UUID, help="erase nobody; tell how far this erasure is")
@click.option("--yes", is_flag=True, help="do not ask")
def erase(tenant_id: UUID, contact: str | None, erasure_id: UUID | None, yes: bool) -> None:
    """Erase CONTACT, a number or user id, from all lines and stores of TENANT_ID. The daemons do it."""
    from relay.cli import erasing

    if bool(contact) == bool(erasure_id):
        raise click.UsageError("say whom to erase, or --show ID")
    if contact and not yes:
        click.confirm("Everything that names this person is deleted for good. Go on?", abort=True)
    with in_words():
        settings = read_settings()
        told = (
            erasing.show(settings, str(tenant_id), str(erasure_id))
            if erasure_id
            else erasing.erase(settings, str(tenant_id), contact or "")
        )
        say(told)


@main.command("apply")
@click.argument("path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", "do", is_flag=True, help="do it; without this it is only told what would be done")
@click.option("--plan", "expected", help="do it only if the plan is still this one")
def apply_file(path: Path, do: bool, expected: str | None) -> None:
    """Make a tenant as FILE says; docs/apply.md has what may stand in it.

    The exit code is 2 when there is something to do and it was not done, 0 when there is nothing, or it is done.
    """
    from relay.cli.applying import apply

    with in_words():
        done = apply.apply(read_settings(), path, do=do, expected=expected)
    say(done.lines)
    sys.exit(2 if done.open else 0)


@main.command("export-settings")
@click.argument("tenant_id", type=click.UUID)
def export_settings(tenant_id: UUID) -> None:
    """The settings of TENANT_ID as a file for `relay apply`, without any secret."""
    from relay.cli.applying import apply

    with in_words():
        for text in apply.export(read_settings(), str(tenant_id)):
            click.echo(text, nl=False)


for command in (tenants, dead_letters, restored, moved):
    main.add_command(command)


@main.command()
def run() -> None:
    """Run the daemon until SIGTERM or SIGINT."""
    from relay.clients import observe
    from relay.daemon.bootstrap import build_daemon

    settings = read_settings()
    profile.warn(settings)
    end_observing = observe(settings, "relay-daemon")
    try:
        with in_words():
            service = build_daemon(settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, service.end)
        # Where is everybody? For the operator of a daemon that seems to stand still.
        gevent.signal_handler(signal.SIGUSR1, gevent.util.print_run_info)
        code = service.run()
    finally:
        end_observing()
    sys.exit(code)


if __name__ == "__main__":
    main()
