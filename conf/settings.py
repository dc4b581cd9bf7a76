"""Every setting of web and relay; `conf.loading` reads them from the environment once, at start.

Each attribute is the variable's name in lower case. A new setting also goes into
`conf/example.env` and `docs/configuration.md`; a test compares the three.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from conf import checks, tls


def _secret(check: Callable[[str], str] = checks.not_a_placeholder) -> AfterValidator:
    def validate(value: SecretStr) -> SecretStr:
        text = checks.not_a_placeholder(value.get_secret_value())
        return SecretStr(check(text))

    return AfterValidator(validate)


def split(value: Any) -> Any:
    """A list in a variable: parts between commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _verifying(url: str, info: ValidationInfo) -> str:
    return tls.completed(url, info.data.get("tls_ca_file"))


# A URL with a password inside stays out of every repr; it is text all the same, because its user is a client library.
ServiceUrl = Annotated[str, Field(repr=False), AfterValidator(checks.not_a_placeholder)]
WebUrl = Annotated[str, AfterValidator(checks.not_a_placeholder), AfterValidator(checks.web_url)]
Key = Annotated[SecretStr, _secret(checks.fernet_key)]
Origin = Annotated[str, AfterValidator(checks.origin)]
PrivateOrigin = Annotated[str, AfterValidator(checks.private_origin)]
Port = Annotated[int, Field(ge=1, le=65535)]
DaysOfKind = Annotated[str, AfterValidator(checks.days)]
LinkSeconds = Annotated[int, Field(ge=60, le=604800)]


class Settings(BaseSettings):
    """Immutable. Pass it, or single values of it, to what needs them; only conf.gunicorn reads some of it again."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    relay_insecure: Annotated[tuple[checks.WeaknessName, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["http-public-url,plain-cache"]
    )
    # Before the URLs, which are completed with it.
    tls_ca_file: Annotated[str, AfterValidator(tls.ca_file)] | None = Field(
        default=None, examples=["/etc/relay/authorities.pem"]
    )
    database_url: Annotated[ServiceUrl, AfterValidator(checks.database_url), AfterValidator(_verifying)] = Field(
        examples=["postgresql://relay:PASSWORD@127.0.0.1:5432/relay"]
    )
    redis_url: Annotated[
        ServiceUrl, AfterValidator(checks.url("redis", "rediss", "unix")), AfterValidator(_verifying)
    ] = Field(examples=["redis://127.0.0.1:6379/0"])
    broker_url: Annotated[
        ServiceUrl, AfterValidator(checks.url("amqp", "amqps", "redis", "rediss")), AfterValidator(_verifying)
    ] = Field(examples=["amqp://relay:PASSWORD@127.0.0.1:5672/relay"])

    minio_endpoint: Annotated[str, AfterValidator(checks.not_a_placeholder), AfterValidator(checks.host_and_port)] = (
        Field(examples=["127.0.0.1:9000"])
    )
    minio_access_key: Annotated[str, AfterValidator(checks.not_a_placeholder)] = Field(
        examples=["the name of the access key"]
    )
    minio_secret_key: Annotated[SecretStr, _secret()] = Field(examples=["the secret that belongs to MINIO_ACCESS_KEY"])
    minio_secure: bool = True
    minio_public_url: WebUrl = Field(examples=["https://files.relay.your.domain"])

    public_url: WebUrl = Field(examples=["https://relay.your.domain"])
    web_host: str = "0.0.0.0"
    web_port: Port = 8000
    web_workers: int = Field(default=2, ge=1, le=64)
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["https://tools.your.domain"]
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9100
    metrics_seconds: int = Field(default=60, ge=1, le=3600)
    metrics_by_line: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"

    secret_key: Annotated[SecretStr, _secret(checks.at_least(16))] = Field(
        examples=["the output of: openssl rand -hex 32"]
    )
    credentials_keys: Annotated[tuple[Key, ...], NoDecode, BeforeValidator(split), Field(min_length=1)] = Field(
        examples=["the output of: openssl rand -base64 32 | tr '+/' '-_'"]
    )
    admin_api_key: Annotated[SecretStr, _secret(checks.at_least(8))] = Field(
        examples=["the output of: openssl rand -hex 32"]
    )

    relay_shards: int = Field(default=16, ge=1, le=1024)
    reorder_window_ms: int = Field(default=250, ge=0, le=10_000)
    unknown_outcome_seconds: int = Field(default=30, ge=1, le=86_400)
    genesys_rate_per_minute: int = Field(default=300, ge=1)
    whatsapp_rate_per_second: int = Field(default=80, ge=1)
    media_url_seconds_inbound: LinkSeconds = 3600
    media_url_seconds_outbound: LinkSeconds = 86_400
    endpoint_private_origins: Annotated[tuple[PrivateOrigin, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["0b8f3c1e-6a52-4d3e-9c57-2f1f0a7d9e11=https://events.internal.your.domain"]
    )
    retention_days: Annotated[tuple[DaysOfKind, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["contents:365,media:90"]
    )
    retention_most_days: Annotated[tuple[DaysOfKind, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["contents:730,history:1095"]
    )

    # Not a ServiceUrl: within a choice its `repr=False` would not hold, and pydantic says so at every start.
    smtp_url: (
        Annotated[str, AfterValidator(checks.not_a_placeholder), AfterValidator(checks.url("smtp", "smtps"))] | None
    ) = Field(default=None, repr=False, examples=["smtps://relay:PASSWORD@mail.your.domain"])
    mail_from: Annotated[str, AfterValidator(checks.not_a_placeholder), AfterValidator(checks.mail_address)] = Field(
        default="", validate_default=True, examples=["Relay <relay@your.domain>"]
    )
    backlog_minutes: int = Field(default=10, ge=1, le=10_080)

    tracing_url: Annotated[WebUrl, AfterValidator(checks.installed("tracing"))] | None = Field(
        default=None, examples=["http://127.0.0.1:4318"]
    )
    tracing_share: float = Field(default=0.1, ge=0, le=1)

    sentry_dsn: Annotated[SecretStr, _secret(checks.dsn)] | None = Field(
        default=None, examples=["https://KEY@errors.your.domain/1"]
    )

    meta_graph_url: WebUrl = "https://graph.facebook.com"
    meta_graph_version: str = Field(default="v25.0", pattern=r"^v\d+\.\d+$")
    meta_app_secret: Annotated[SecretStr, _secret()] = SecretStr("")
    meta_verify_token: Annotated[SecretStr, _secret()] = SecretStr("")
    genesys_login_url: WebUrl | None = Field(default=None, examples=["https://login.mypurecloud.de"])
    genesys_api_url: WebUrl | None = Field(default=None, examples=["https://api.mypurecloud.de"])

    oidc_issuer: Annotated[str, AfterValidator(checks.not_a_placeholder), AfterValidator(checks.issuer)] | None = Field(
        default=None, examples=["https://login.your.domain/realms/staff"]
    )
    oidc_client_id: Annotated[str, AfterValidator(checks.not_a_placeholder)] = Field(
        default="", validate_default=True, examples=["whatsapp-relay"]
    )
    oidc_client_secret: Annotated[SecretStr, _secret()] = Field(
        default=SecretStr(""), validate_default=True, examples=["the secret that belongs to OIDC_CLIENT_ID"]
    )
    oidc_name: str = Field(default="your organisation", max_length=60)
    oidc_role_claim: str = Field(default="groups", max_length=200)
    oidc_roles: Annotated[dict[str, str], NoDecode, BeforeValidator(checks.roles)] = Field(
        default={}, validate_default=True, examples=["""'{"relay-operators": "operator"}'"""]
    )
    oidc_second_factor: bool = False
    oidc_private_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(split)] = Field(
        default=(), examples=["https://login.internal.your.domain"]
    )
    password_login: bool = Field(default=True, validate_default=True)

    @property
    def authorities(self) -> str:
        """The file of the certificate authorities by which the servers behind us are verified."""
        return tls.authorities(self.tls_ca_file)

    @field_validator("oidc_client_id", "oidc_client_secret", "oidc_roles")
    @classmethod
    def _with_its_issuer(cls, value: object, info: ValidationInfo) -> object:
        given = value.get_secret_value() if isinstance(value, SecretStr) else value
        if info.data.get("oidc_issuer") and not given:
            raise ValueError("is missing: OIDC_ISSUER needs it")
        return value

    @field_validator("mail_from")
    @classmethod
    def _with_its_server(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("smtp_url") and not value:
            raise ValueError("is missing: SMTP_URL needs it")
        return value

    @field_validator("password_login")
    @classmethod
    def _some_way_in(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and not info.data.get("oidc_issuer"):
            raise ValueError("can be false with an OIDC_ISSUER only: nobody could log in")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # load_settings hands the environment over, so that a given one is never mixed with the process' own.
        return (init_settings,)
