"""Every table with rows of tenants: which of them are a tenant's, and in which order they can go.

The deletion of a tenant goes through all of them, and so does its export, but for those that say why not.
`tests/integration/test_belongings.py` finds a table that is missing here.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN = "tenant_id = %(tenant)s"
OF_ITS_LINES = "line_id IN (SELECT id FROM lines WHERE tenant_id = %(tenant)s)"
OF_ITS_USERS = "user_id IN (SELECT id FROM users WHERE tenant_id = %(tenant)s)"
OF_ITS_CONTACTS = """EXISTS (SELECT 1 FROM conversation_mappings c
  WHERE c.id = conversation_id AND c.tenant_id = %(tenant)s)"""
OF_ITS_MESSAGES = "EXISTS (SELECT 1 FROM message_tracking m WHERE m.id = message_id AND m.tenant_id = %(tenant)s)"


@dataclass(frozen=True, slots=True)
class Belonging:
    """A table. `whose`: SQL that is true of the tenant's rows; `key`: its primary key, in whose order it is read.

    `hidden`: columns that are no use to anybody outside (sealed or hashed secrets). `not_exported`: why not.
    """

    table: str
    key: tuple[str, ...]
    whose: str = OWN
    hidden: tuple[str, ...] = ()
    not_exported: str | None = None


AT_WORK = "only says how far the relay's own work is"
SECRETS = "holds nothing but secrets, or what unlocks something"

BELONGINGS: tuple[Belonging, ...] = (
    Belonging("message_events", ("id",), OF_ITS_MESSAGES),
    Belonging("message_attempts", ("message_id", "n"), OF_ITS_LINES),
    Belonging("end_requests", ("message_id",), not_exported=AT_WORK),
    Belonging("conversation_ends", ("id",)),
    Belonging("genesys_conversations", ("genesys_conversation_id", "conversation_id"), OF_ITS_CONTACTS),
    Belonging("contact_aliases", ("line_id", "alias"), OF_ITS_LINES),
    Belonging("replays_under_way", ("replay_id", "message_id"), OF_ITS_LINES, not_exported=AT_WORK),
    Belonging("replays", ("id",)),
    Belonging("parked_receipts", ("line_id", "provider_id", "status"), OF_ITS_LINES, not_exported=AT_WORK),
    Belonging("message_tracking", ("id",)),
    Belonging("conversation_mappings", ("id",)),
    Belonging("message_hours", ("tenant_id", "hour", "direction")),
    Belonging("message_prices", ("line_id", "month", "country", "category", "type", "subtype")),
    Belonging("message_prices_new", ("line_id",), not_exported="is added to message_prices within minutes"),
    Belonging("line_notices", ("id",), hidden=("digest",)),
    Belonging("unknown_lines", ("id",), "owner = %(tenant)s::text", hidden=("signer", "raw")),
    Belonging("unknown_quotas", ("owner",), "owner = %(tenant)s::text", not_exported=AT_WORK),
    Belonging("check_schedules", ("line_id",), not_exported=AT_WORK),
    Belonging("check_runs", ("id",)),
    Belonging("condition_changes", ("id",)),
    Belonging("conditions", ("id",)),
    Belonging("addressees", ("id",), hidden=("sealed",)),
    Belonging("confirming_mails", ("id",), not_exported="only bounds how many mails ask for an address"),
    Belonging("endpoint_attempts", ("event_id", "n")),
    Belonging("endpoint_events", ("id",)),
    Belonging("endpoints", ("id",), hidden=("sealed",)),
    Belonging("event_listeners", ("tenant_id",), not_exported=AT_WORK),
    Belonging("catch_ups", ("line_id",), not_exported=AT_WORK),
    Belonging("templates", ("tenant_id", "name", "language")),
    Belonging("template_lists", ("tenant_id",)),
    Belonging("onboarding_drafts", ("tenant_id",), not_exported=SECRETS),
    Belonging("openid_domains", ("domain",)),
    Belonging("openid_identities", ("user_id",), f"{OF_ITS_USERS} OR provider_tenant_id = %(tenant)s"),
    Belonging("openid_providers", ("tenant_id",), hidden=("sealed", "login_key")),
    Belonging("emergency_passwords", ("user_id",), OF_ITS_USERS, not_exported=SECRETS),
    Belonging("login_guesses", ("user_id", "source"), OF_ITS_USERS, not_exported=AT_WORK),
    Belonging("user_news", ("id",), OF_ITS_USERS),
    Belonging("sessions", ("token_hash",), OF_ITS_USERS, not_exported=SECRETS),
    Belonging("idempotency_keys", ("owner", "key"),
              "owner IN (SELECT 'key:' || id FROM api_keys WHERE tenant_id = %(tenant)s)",
              not_exported="repeats answers of the API for a day, sealed"),
    Belonging("users", ("id",), hidden=("password_hash", "totp_sealed", "totp_step", "recovery_hashes")),
    Belonging("api_keys", ("id",), hidden=("secret_hash", "maker_digest")),
    Belonging("erasures", ("id",), hidden=("sealed",)),
    Belonging("tombstones", ("tenant_id", "digest"), not_exported=AT_WORK),
    Belonging("retention", ("tenant_id",)),
    Belonging("retention_steps", ("tenant_id", "kind"), not_exported=AT_WORK),
    Belonging("tenant_credentials", ("tenant_id", "type"), hidden=("sealed",)),
    Belonging("lines", ("id",), hidden=("sealed_webhook_secret", "webhook_key")),
    Belonging("audit_log", ("id",), hidden=("previous", "hash")),
    Belonging("tenants", ("id",), "id = %(tenant)s", hidden=("webhook_key",)),
)  # fmt: skip
WITH_CONTACTS = {
    "message_events", "message_attempts", "end_requests", "conversation_ends", "genesys_conversations",
    "contact_aliases", "message_tracking", "conversation_mappings",
}  # fmt: skip
"""Go with their contacts, as when a person is erased."""
LAST = ("users", "api_keys", "audit_log", "tenants")
"""Go in ways of their own."""
ONES_OF_ALL = {
    "relay_settings", "daemons", "shards", "webs", "condition_round", "rate_cards", "rates", "openid_returns",
    "tenant_deletions",
}  # fmt: skip
"""Tables that hold no tenant's rows; and the certificates of those that are gone."""
