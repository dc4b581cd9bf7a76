"""Reads the settings from the environment, and says all that is wrong with it at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource

from conf import checks, profile
from conf.settings import Settings, split

FILLING: dict[str, Any] = {
    "database_url": "postgresql:///relay",
    "redis_url": "unix:///redis",
    "broker_url": "amqp://localhost",
    "minio_endpoint": "localhost",
    "minio_access_key": "-",
    "minio_secret_key": "-",
    "minio_public_url": "https://files",
    "public_url": "https://web",
    "secret_key": "-" * 32,
    "credentials_keys": ["A" * 43 + "="],
    "admin_api_key": "-" * 32,
    # What OIDC_ISSUER requires.
    "oidc_client_id": "-",
    "oidc_client_secret": "-",
    "oidc_roles": {"-": "operator"},
}
"""Of the right form, for what is required. Never used: it only stands for a setting that was refused already."""


class SettingsError(Exception):
    """All that is wrong with the environment, one line per problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The settings are not usable ({len(problems)} problem(s)):\n{lines}")


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from `env`, or from the process' environment; SettingsError names every problem at once.

    Problems are what is missing or wrong, and every weakness of `conf.profile` that RELAY_INSECURE does not admit.
    """
    given = os.environ if env is None else env
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value.strip() for name, value in given.items() if value.strip()}
    settings, problems = _read(source())
    if problems:
        # Raised out here and not chained: the original error carries its input, and the input holds secrets.
        raise SettingsError(problems)
    return settings


def load_part(given: Mapping[str, str], names: Collection[str]) -> Settings:
    """Settings while they are being gathered: only problems of `names` count, the rest may be missing or wrong.

    What is missing or wrong holds a value of the right form that leads nowhere. Raises SettingsError.
    """
    source = EnvSettingsSource(Settings)
    source.env_vars = {name.lower(): value.strip() for name, value in given.items() if value.strip()}
    settings, problems = _read(source())
    mine = [problem for problem in problems if problem.partition(" ")[0] in names]
    if mine:
        raise SettingsError(mine)
    return settings


def _read(values: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The settings and all that is the matter with them."""
    try:
        settings, wrong, problems = Settings(**values), set(), []
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors()}
        problems = [_in_words(detail) for detail in error.errors()]
        settings = _readable(values, wrong)
    weak = [one for one in profile.refused(settings) if one.variable.lower() not in wrong]
    return settings, problems + [str(one) for one in weak]


def _readable(values: dict[str, Any], wrong: set[str]) -> Settings:
    """The right ones, and in place of the others what fills their place: for the profile to judge the right ones."""
    right = {name: value for name, value in values.items() if name not in wrong}
    admitted = [name for name in split(values.get("relay_insecure", "")) if name in checks.WEAKNESSES]
    return Settings(**(FILLING | right | {"relay_insecure": admitted}))


def _in_words(detail: ErrorDetails) -> str:
    field, *place = detail["loc"]
    which = f" (entry {int(place[0]) + 1})" if place else ""
    return f"{str(field).upper()}{which} {_what_is_wrong(detail)}. Example: {_example(str(field))}"


def _what_is_wrong(detail: ErrorDetails) -> str:
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return "is missing"
        case "value_error":
            return str(limits["error"])
        case "int_parsing":
            return "must be a whole number"
        case "bool_parsing":
            return "must be true or false"
        case "greater_than_equal":
            return f"must be at least {limits['ge']}"
        case "less_than_equal":
            return f"must be at most {limits['le']}"
        case "literal_error":
            return f"must be {limits['expected']}"
        case "too_short":
            return "holds no key"
        case "string_pattern_mismatch":
            return "does not look like the example"
        case _:
            return "has the wrong form"


def _example(field: str) -> str:
    info = Settings.model_fields[field]
    value = info.examples[0] if info.examples else info.default
    return f"{field.upper()}={str(value).lower() if isinstance(value, bool) else value}"
