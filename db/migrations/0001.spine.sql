-- depends:

CREATE TABLE relay_settings (
    name text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'onboarding' CHECK (status IN ('onboarding', 'active', 'paused')),
    webhook_key text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- `sealed` is a MultiFernet token over a JSON object; `shown` is what may be shown of it, in clear.
CREATE TABLE tenant_credentials (
    tenant_id uuid NOT NULL REFERENCES tenants,
    type text NOT NULL CHECK (type IN ('whatsapp', 'genesys')),
    sealed text NOT NULL,
    shown jsonb NOT NULL,
    health text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'ok', 'refused')),
    health_reason text,
    health_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, type)
);

CREATE TABLE lines (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    phone_number_id text NOT NULL,
    integration_id text NOT NULL,
    webhook_key text NOT NULL UNIQUE,
    sealed_webhook_secret text,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'refused')),
    status_reason text,
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, phone_number_id),
    UNIQUE (tenant_id, integration_id)
);
-- Only a confirmed line owns its ids: a claim that no provider confirmed must not keep others out.
CREATE UNIQUE INDEX lines_active_phone ON lines (phone_number_id) WHERE status = 'active';
CREATE UNIQUE INDEX lines_active_integration ON lines (integration_id) WHERE status = 'active';

CREATE TABLE conversation_mappings (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    line_id uuid NOT NULL REFERENCES lines,
    genesys_address text NOT NULL,
    shard smallint NOT NULL,
    wa_id text,
    bsuid text,
    parent_bsuid text,
    name text,
    genesys_conversation_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (line_id, genesys_address)
);

CREATE TABLE contact_aliases (
    line_id uuid NOT NULL REFERENCES lines,
    alias text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES conversation_mappings,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (line_id, alias)
);
CREATE INDEX contact_aliases_conversation ON contact_aliases (conversation_id);
-- `/state/mapping/<wa_id>` may ask without naming the line.
CREATE INDEX contact_aliases_alias ON contact_aliases (alias);

CREATE TABLE genesys_conversations (
    genesys_conversation_id text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES conversation_mappings,
    first_seen timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (genesys_conversation_id, conversation_id)
);
CREATE INDEX genesys_conversations_conversation ON genesys_conversations (conversation_id, last_seen);

-- The conversations' durable mailbox: one row per message, from arrival to read.
CREATE TABLE message_tracking (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid NOT NULL,
    line_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    shard smallint NOT NULL,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    source_id text NOT NULL,
    type text NOT NULL,
    content jsonb NOT NULL,
    -- the provider's item as it came; json and not jsonb, which refuses NUL and lone surrogates
    payload json,
    media_type text,
    media_url text,
    -- the sort key: the earlier of provider time and arrival, then arrival, then place in the webhook
    sort_time timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL,
    idx integer NOT NULL,
    provider_time timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('received', 'sending', 'sent', 'delivered', 'read',
                                         'failed', 'unknown', 'dead', 'ignored', 'record')),
    reason_code text,
    reason text,
    late boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    claim_epoch bigint,
    claimed_at timestamptz,
    next_attempt_at timestamptz,
    unknown_until timestamptz,
    provider_id text,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    failed_at timestamptz,
    -- what the agent's side must be told of an outbound message, and what it has been told
    report text CHECK (report IN ('delivered', 'failed')),
    reported text CHECK (reported IN ('delivered', 'failed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- "once": the same source message is one row, whoever repeats it
    UNIQUE (line_id, direction, source_id)
);
-- Work that is left: what the sweep and a take-over read.
CREATE INDEX message_tracking_unfinished ON message_tracking (seq)
    WHERE state IN ('received', 'sending', 'unknown') OR report IS DISTINCT FROM reported;
-- A conversation's lanes.
CREATE INDEX message_tracking_lane ON message_tracking (conversation_id, direction, sort_time, arrived_at, idx, seq)
    WHERE state IN ('received', 'sending', 'unknown');
CREATE INDEX message_tracking_reports ON message_tracking (conversation_id)
    WHERE report IS DISTINCT FROM reported;
-- A tenant's messages, newest first.
CREATE INDEX message_tracking_tenant ON message_tracking (tenant_id, seq);
-- "Was anything sorted after this one already claimed?" and the conversation's history.
CREATE INDEX message_tracking_history ON message_tracking (conversation_id, sort_time);

CREATE TABLE message_attempts (
    message_id uuid NOT NULL,
    n integer NOT NULL,
    line_id uuid NOT NULL,
    epoch bigint NOT NULL,
    started_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome text,
    provider_id text,
    http_status integer,
    code text,
    detail text,
    trace_id text,
    PRIMARY KEY (message_id, n)
);
CREATE UNIQUE INDEX message_attempts_provider ON message_attempts (line_id, provider_id)
    WHERE provider_id IS NOT NULL;

CREATE TABLE message_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    detail text
);
CREATE INDEX message_events_message ON message_events (message_id, id);

-- Receipts that came before the id they speak of was known.
CREATE TABLE parked_receipts (
    line_id uuid NOT NULL,
    provider_id text NOT NULL,
    status text NOT NULL,
    message_id uuid,
    at timestamptz NOT NULL,
    code text,
    reason text,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (line_id, provider_id, status)
);
CREATE INDEX parked_receipts_age ON parked_receipts (parked_at);

-- Webhook items for numbers and integrations that no active line owns: kept, listed, replayable.
CREATE TABLE unknown_lines (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel text NOT NULL,
    line_ref text NOT NULL,
    address text NOT NULL,
    idx integer NOT NULL,
    payload jsonb NOT NULL,
    arrived_at timestamptz NOT NULL,
    reason text NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX unknown_lines_ref ON unknown_lines (channel, line_ref) WHERE replayed_at IS NULL;

CREATE TABLE daemons (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL
);

CREATE TABLE shards (
    n smallint PRIMARY KEY,
    owner uuid,
    epoch bigint NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    tenant_id uuid,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL DEFAULT '',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_tenant ON audit_log (tenant_id, id);
