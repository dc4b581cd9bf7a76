"""`relay init`: from installed packages to a log-in page. Asks what it must, makes keys, sets up each server.

What the environment or the file says already is not asked again: so it can be run once more after trouble, and without
a person where all answers are given.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from conf.loading import SettingsError, load_part, load_settings
from conf.settings import Settings
from db.access import users
from db.daemons.versions import WrongVersionError
from db.migrate import MigrationUnderWayError, NotAllowedError, ShardCountError
from db.pool import Pool
from db.tenants.changes import TakenError
from relay.broker import topology
from relay.cli import env_file, operator, people
from relay.cli.speaking import NotNowError
from relay.clients import build_cipher, build_objects
from relay.core.errors import StoreError
from relay.stores.cache import Cache


@dataclass(frozen=True, slots=True)
class Question:
    """A setting that only a person can tell. `about`: what it is; `secret`: not shown while it is typed."""

    name: str
    about: str
    default: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class SetUpStep:
    """Questions, and what is done with the answers. `done` returns what to tell; raises where they do not work."""

    title: str
    questions: tuple[Question, ...]
    done: Callable[[Settings], str]


def settle(path: Path, environment: dict[str, str]) -> Settings:
    """Everything that web and daemons need is there, and written to `path`. Returns the settings.

    Raises SettingsError where something that is not asked for is wrong, such as a number in the environment.
    """
    answers = env_file.read(path) | environment
    # What is in the environment now must be in the file, too: the processes will be given that.
    kept = {name: value for name, value in environment.items() if name.lower() in Settings.model_fields}
    for name in (name for name in MADE if not answers.get(name)):
        kept[name] = answers[name] = _made(name)
    for step in STEPS:
        kept |= _settled(step, answers)
        # What was told once is not asked again, whatever goes wrong later.
        env_file.write(path, kept)
    return load_settings(answers)


def first_operator(settings: Settings) -> str | None:
    """Asks for an address, and tells the password; None where there is an operator already. Raises StoreError."""
    with Pool(settings.database_url, size=1) as pool:
        if users.listed(pool, None, limit=1):
            return None
    while True:
        email = click.prompt("  Your e-mail address, for the portal")
        try:
            user, password = people.add(settings, email, None, None, None)
        except (NotNowError, TakenError) as error:
            click.secho(f"  - {error}", fg="red", err=True)
            continue
        return f"{user.email} may log in for 48 hours with this password, told only now: {password}"


def _settled(step: SetUpStep, answers: dict[str, str]) -> dict[str, str]:
    """The answers to this step's questions, which work. They are in `answers`, too."""
    click.secho(f"\n{step.title}", bold=True)
    names = [question.name for question in step.questions]
    missing = [question for question in step.questions if question.name not in answers]
    while True:
        for question in missing:
            answers[question.name] = _asked(question, answers.get(question.name) or question.default)
        try:
            click.echo(f"  {step.done(load_part(answers, names))}")
            return {name: answers[name] for name in names}
        except SettingsError as error:
            trouble = "\n".join(f"  - {problem}" for problem in error.problems)
        except (StoreError, MigrationUnderWayError, NotAllowedError, ShardCountError, WrongVersionError) as error:
            trouble = f"  - {error}"
        click.secho(trouble, fg="red", err=True)
        missing = list(step.questions)


def _asked(question: Question, default: str | None) -> str:
    click.echo(f"  {question.about}")
    shown = not question.secret
    return click.prompt(f"  {question.name}", default=default, hide_input=question.secret, show_default=shown).strip()


def _made(name: str) -> str:
    """A key of this installation: random, in the form that its setting takes."""
    random = secrets.token_bytes(32)
    return base64.urlsafe_b64encode(random).decode() if name == "CREDENTIALS_KEYS" else random.hex()


def _public(settings: Settings) -> str:
    return f"people will log in at {settings.public_url}/portal/"


def _database(settings: Settings) -> str:
    applied = operator.bring_up_to_date(settings)
    return f"its schema was made: {len(applied)} migrations" if applied else "its schema is the newest"


def _broker(settings: Settings) -> str:
    topology.declare(settings.broker_url, settings.relay_shards)
    return f"its queues are there, for {settings.relay_shards} shards"


def _cache(settings: Settings) -> str:
    with closing(Cache(settings.redis_url, build_cipher(settings))) as cache:
        if not cache.ping():
            raise StoreError(cache.trouble or "Redis does not answer")
    return "Redis answers"


def _files(settings: Settings) -> str:
    with closing(build_objects(settings)) as objects:
        objects.ensure_buckets()
    return "its four buckets are there"


def _meta(settings: Settings) -> str:
    if settings.meta_app_secret.get_secret_value():
        return f"Meta's webhook: {settings.public_url}/webhook/meta, with META_VERIFY_TOKEN of the file"
    return "none: every tenant brings an app of its own"


MADE = ("SECRET_KEY", "CREDENTIALS_KEYS", "ADMIN_API_KEY", "META_VERIFY_TOKEN")
STEPS = (
    SetUpStep(
        "Where this installation is reached",
        (Question("PUBLIC_URL", "The https address at which Meta, Genesys and people reach web"),),
        _public,
    ),
    SetUpStep(
        "PostgreSQL",
        (
            Question("TLS_CA_FILE", "Your own authorities, a PEM file; empty where the servers have public ones", ""),
            Question("DATABASE_URL", "postgresql://user:password@host:5432/database?sslmode=verify-full"),
        ),
        _database,
    ),
    SetUpStep("RabbitMQ", (Question("BROKER_URL", "amqps://user:password@host:5671/virtual-host"),), _broker),
    SetUpStep("Redis", (Question("REDIS_URL", "rediss://:password@host:6379/0"),), _cache),
    SetUpStep(
        "Object store (S3)",
        (
            Question("MINIO_ENDPOINT", "Its host:port, as this machine reaches it"),
            Question("MINIO_SECURE", "Whether it is spoken to over https", "true"),
            Question("MINIO_PUBLIC_URL", "The https address at which Genesys and Meta reach it; another host name"),
            Question("MINIO_ACCESS_KEY", "Its access key"),
            Question("MINIO_SECRET_KEY", "The secret of that key", secret=True),
        ),
        _files,
    ),
    SetUpStep(
        "Meta",
        (Question("META_APP_SECRET", "App secret of your own Meta app; empty where tenants bring theirs", "", True),),
        _meta,
    ),
)
