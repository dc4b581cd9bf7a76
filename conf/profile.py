"""What no installation that meets strangers may run with, each under the name by which RELAY_INSECURE admits it.

It reads the settings and asks nobody else. No text ever repeats a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import structlog
from zxcvbn import zxcvbn

from conf import tls
from conf.checks import SHORTEST_SECRET, WeaknessName
from conf.settings import Settings

FEWEST_GUESSES = 20
"""As a power of ten. 32 random hexadecimal digits have 32, words with numbers behind them about 15."""
JUDGED = 44
"""Characters of a secret that are looked at, a Fernet key's length: the estimate's time grows with the square."""
DEMO = ("demo-", "eaag-demo-", "northwind blows at noon")
"""How the secrets begin that the README prints. Everybody knows them."""
DEFAULTS = ("guest", "minioadmin")
RANDOM = "Put a random one there: openssl rand -hex 32."
OF_META = "Copy the one that Meta shows for your app."


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Weakness:
    """`text` goes on after the variable's name; `advice` is a sentence of its own."""

    name: WeaknessName
    variable: str
    text: str
    advice: str

    def __str__(self) -> str:
        return f"{self.variable} {self.text}. {self.advice} (RELAY_INSECURE={self.name} admits it all the same.)"


def weaknesses(settings: Settings) -> list[Weakness]:
    """All of them, whether admitted or not."""
    return [weakness for look in LOOKS for weakness in look(settings)]


def refused(settings: Settings) -> list[Weakness]:
    """Those that RELAY_INSECURE does not name."""
    return [one for one in weaknesses(settings) if one.name not in settings.relay_insecure]


def admitted(settings: Settings) -> list[Weakness]:
    """Those that it does."""
    return [one for one in weaknesses(settings) if one.name in settings.relay_insecure]


def warn(settings: Settings) -> None:
    """A line in the log for each one that is admitted, at every start."""
    for one in admitted(settings):
        log.warning("insecure", name=one.name, variable=one.variable, what=one.text, advice=one.advice)


def _known_secrets(settings: Settings) -> Iterator[Weakness]:
    for variable, value in (*_secrets(settings), *_passwords(settings)):
        if value.lower().startswith(DEMO):
            text = "holds a secret of the demo, which everybody can read"
            yield Weakness("demo-secrets", variable, text, _advice(variable))
        elif value.lower() in DEFAULTS:
            text = "holds the password that the server came with, which everybody knows"
            yield Weakness("default-passwords", variable, text, "Make a user with a random password of its own there.")


def _weak_secrets(settings: Settings) -> Iterator[Weakness]:
    for variable, value in _secrets(settings):
        if value.lower().startswith(DEMO):  # already told
            continue
        if len(value) < SHORTEST_SECRET:
            text = f"is too short to be a secret: {SHORTEST_SECRET} characters at least"
            yield Weakness("weak-secrets", variable, text, _advice(variable))
        elif _guessable(value):
            text = "can be guessed: words, sequences or repetitions"
            yield Weakness("weak-secrets", variable, text, _advice(variable))


def _encryption_keys(settings: Settings) -> Iterator[Weakness]:
    for number, key in enumerate(settings.credentials_keys, 1):
        if _guessable(key.get_secret_value()):
            text = f"(entry {number}) is no random key: zeros, or something else that repeats"
            advice = "Make one with openssl rand -base64 32 | tr '+/' '-_', put it in front, and run relay keys rotate."
            yield Weakness("weak-encryption-key", "CREDENTIALS_KEYS", text, advice)


def _public_urls(settings: Settings) -> Iterator[Weakness]:
    if not settings.public_url.startswith("https://"):
        text = "is http: passwords, sessions and webhooks would travel for all to read"
        yield Weakness("http-public-url", "PUBLIC_URL", text, "Put a proxy with TLS before web, and name it here.")
    if not settings.minio_public_url.startswith("https://"):
        text = "is http: customers' and agents' files would travel for all to read"
        yield Weakness("http-files-url", "MINIO_PUBLIC_URL", text, "Give the object store a certificate.")
    # Cookies know no port: another port of the same host is no other host.
    if urlsplit(settings.minio_public_url).hostname == urlsplit(settings.public_url).hostname:
        text = "is on the host of PUBLIC_URL: strangers' files would be opened beside the portal's cookies"
        yield Weakness("files-beside-portal", "MINIO_PUBLIC_URL", text, "Give the files a host name of their own.")


def _backends(settings: Settings) -> Iterator[Weakness]:
    if why := tls.database_trouble(settings.database_url):
        yield Weakness("plain-database", "DATABASE_URL", why, "Add ?sslmode=verify-full to it.")
    if why := tls.url_trouble(settings.redis_url):
        yield Weakness("plain-cache", "REDIS_URL", why, "Use rediss:// and let it verify.")
    if why := tls.url_trouble(settings.broker_url):
        yield Weakness("plain-broker", "BROKER_URL", why, "Use amqps:// (or rediss://) and let it verify.")
    if not settings.minio_secure and not tls.is_here(tls.host_of(settings.minio_endpoint)):
        yield Weakness("plain-files", "MINIO_ENDPOINT", tls.PLAIN, "Set MINIO_SECURE=true.")


def _logins(settings: Settings) -> Iterator[Weakness]:
    named = [("OIDC_ISSUER", settings.oidc_issuer or "")]
    named += [("OIDC_PRIVATE_ORIGINS", origin) for origin in settings.oidc_private_origins]
    for variable, url in named:
        if url.startswith("http://") and not tls.is_here(urlsplit(url).hostname or ""):
            text = "names a provider by http: who logs in would be decided by whoever answers"
            yield Weakness("http-login", variable, text, "Give the provider a certificate, and name it by https.")


def _webhooks(settings: Settings) -> Iterator[Weakness]:
    for url in (one.partition("=")[2] for one in settings.endpoint_private_origins):
        if url.startswith("http://") and not tls.is_here(urlsplit(url).hostname or ""):
            text = "names a place by http: what happens to customers' messages would travel for all to read"
            yield Weakness("http-webhooks", "ENDPOINT_PRIVATE_ORIGINS", text, "Name it by https.")


def _stand_ins(settings: Settings) -> Iterator[Weakness]:
    given = {
        "META_GRAPH_URL": settings.meta_graph_url != type(settings).model_fields["meta_graph_url"].default,
        "GENESYS_LOGIN_URL": settings.genesys_login_url is not None,
        "GENESYS_API_URL": settings.genesys_api_url is not None,
    }
    for variable in (name for name, is_given in given.items() if is_given):
        text = "sends the tenants' tokens to a stand-in for the provider"
        yield Weakness("stand-ins", variable, text, "Leave it out.")


LOOKS: tuple[Callable[[Settings], Iterator[Weakness]], ...] = (
    _known_secrets,
    _weak_secrets,
    _encryption_keys,
    _public_urls,
    _backends,
    _logins,
    _webhooks,
    _stand_ins,
)


def _secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """What we, or Meta, made up, as far as it is given."""
    held = {
        "SECRET_KEY": [settings.secret_key.get_secret_value()],
        "ADMIN_API_KEY": [settings.admin_api_key.get_secret_value()],
        # While it changes at Meta it holds two.
        "META_APP_SECRET": settings.meta_app_secret.get_secret_value().split(","),
        "META_VERIFY_TOKEN": [settings.meta_verify_token.get_secret_value()],
    }
    yield from ((name, one.strip()) for name, values in held.items() for one in values if one.strip())


def _passwords(settings: Settings) -> Iterator[tuple[str, str]]:
    """What the servers ask for. How long it must be is theirs to say."""
    for variable, url in (
        ("DATABASE_URL", settings.database_url),
        ("REDIS_URL", settings.redis_url),
        ("BROKER_URL", settings.broker_url),
    ):
        yield variable, unquote(urlsplit(url).password or "")
    if settings.broker_url.startswith("amqp") and not urlsplit(settings.broker_url).username:
        yield "BROKER_URL", "guest"  # what Kombu takes where there is no user
    yield "MINIO_ACCESS_KEY", settings.minio_access_key
    yield "MINIO_SECRET_KEY", settings.minio_secret_key.get_secret_value()
    yield "OIDC_CLIENT_SECRET", settings.oidc_client_secret.get_secret_value()


def _advice(variable: str) -> str:
    return OF_META if variable == "META_APP_SECRET" else RANDOM


def _guessable(value: str) -> bool:
    return float(zxcvbn(value[:JUDGED])["guesses_log10"]) < FEWEST_GUESSES
