-- depends: 0001.spine

-- People who log in. An operator belongs to no tenant; everybody else to exactly one.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    tenant_id uuid REFERENCES tenants,
    email text NOT NULL CHECK (email = lower(email)),
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('operator', 'admin', 'viewer')),
    password_hash text NOT NULL,
    -- the password was chosen by somebody else, and has to be changed first
    must_change boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    last_login_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'operator') = (tenant_id IS NULL))
);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_tenant ON users (tenant_id, id);

-- A browser that is logged in; the cookie holds the token, the table only its hash. Deleted: logged out.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    agent text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Keys of programs. Without a tenant: an operator's.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    tenant_id uuid REFERENCES tenants,
    name text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE,
    hint text NOT NULL,
    scopes text[] NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

-- What a request with an Idempotency-Key was answered, sealed because an answer may hold a new secret.
CREATE TABLE idempotency_keys (
    owner text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status integer,
    sealed text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- A wizard that was left and is to be gone on with: what was typed, sealed.
CREATE TABLE onboarding_drafts (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    step smallint NOT NULL DEFAULT 1,
    sealed text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Whom to ask at a tenant, in its own words.
ALTER TABLE tenants ADD COLUMN contact text NOT NULL DEFAULT '';

-- Messages of one hour, counted when it was over, and again as their receipts came in.
CREATE TABLE message_hours (
    tenant_id uuid NOT NULL REFERENCES tenants,
    hour timestamptz NOT NULL,
    direction text NOT NULL,
    total integer NOT NULL,
    sent integer NOT NULL,
    delivered integer NOT NULL,
    failed integer NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, hour, direction)
);
-- The operator's totals over all tenants.
CREATE INDEX message_hours_hour ON message_hours (hour);

-- Who asked for the message: a provider's webhook, or somebody through the API. Only the first is reported on.
ALTER TABLE message_tracking ADD COLUMN origin text NOT NULL DEFAULT 'webhook' CHECK (origin IN ('webhook', 'api'));

-- Lists, newest first, of a tenant's lines: with and without a state. Every list names its lines, directions and
-- states one by one, so that its rows lie next to each other whatever the filter; the same serves what is waiting.
DROP INDEX message_tracking_tenant;
CREATE INDEX message_tracking_line ON message_tracking (line_id, direction, arrived_at, seq);
CREATE INDEX message_tracking_state ON message_tracking (line_id, state, direction, arrived_at, seq);

-- Looked for by the beginning of the number, of the name or of its last word. Compared byte by byte, since
-- only that is both indexed and leakproof, so that it works beneath row-level security.
ALTER TABLE conversation_mappings
    ADD COLUMN last_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN name_key text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
    ADD COLUMN family_key text COLLATE "C" GENERATED ALWAYS AS (lower(regexp_replace(name, '^.*\s', ''))) STORED;
UPDATE conversation_mappings c
SET last_at = coalesce((SELECT max(m.sort_time) FROM message_tracking m WHERE m.conversation_id = c.id), c.created_at);
CREATE INDEX conversation_mappings_recent ON conversation_mappings (line_id, last_at, id);
CREATE INDEX conversation_mappings_number ON conversation_mappings (line_id, wa_id COLLATE "C");
CREATE INDEX conversation_mappings_bsuid ON conversation_mappings (line_id, bsuid COLLATE "C") WHERE bsuid IS NOT NULL;
CREATE INDEX conversation_mappings_name ON conversation_mappings (line_id, name_key);
CREATE INDEX conversation_mappings_family ON conversation_mappings (line_id, family_key);

-- Row-level security, the second lock: what web does for a tenant it does as relay_tenant, which sees the rows
-- of the tenant named in relay.tenant. The role that owns the tables, which mixes tenants in its batches, sees all.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'relay_tenant') THEN
        BEGIN
            CREATE ROLE relay_tenant NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'ask an administrator of this PostgreSQL to run: CREATE ROLE relay_tenant NOLOGIN; GRANT relay_tenant TO %', current_user;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'relay_tenant', 'MEMBER') THEN
        EXECUTE format('GRANT relay_tenant TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO relay_tenant', current_schema());
END
$do$;

CREATE FUNCTION relay_tenant_id() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('relay.tenant', true), '')::uuid;

DO $do$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT * FROM (VALUES
        ('tenants', 'SELECT, UPDATE', 'id = (SELECT relay_tenant_id())'),
        ('tenant_credentials', 'SELECT, INSERT, UPDATE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('lines', 'SELECT, INSERT, UPDATE, DELETE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('conversation_mappings', 'SELECT, INSERT, UPDATE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('contact_aliases', 'SELECT, INSERT', 'EXISTS (SELECT 1 FROM lines l WHERE l.id = line_id)'),
        ('genesys_conversations', 'SELECT, INSERT, UPDATE',
         'EXISTS (SELECT 1 FROM conversation_mappings c WHERE c.id = conversation_id)'),
        ('message_tracking', 'SELECT, INSERT, UPDATE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('message_attempts', 'SELECT', 'EXISTS (SELECT 1 FROM lines l WHERE l.id = line_id)'),
        ('message_events', 'SELECT, INSERT', 'EXISTS (SELECT 1 FROM message_tracking m WHERE m.id = message_id)'),
        ('message_hours', 'SELECT', 'tenant_id = (SELECT relay_tenant_id())'),
        ('users', 'SELECT, INSERT, UPDATE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('sessions', 'SELECT, DELETE', 'EXISTS (SELECT 1 FROM users u WHERE u.id = user_id)'),
        ('api_keys', 'SELECT, INSERT, UPDATE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('onboarding_drafts', 'SELECT, INSERT, UPDATE, DELETE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('audit_log', 'SELECT, INSERT', 'tenant_id = (SELECT relay_tenant_id())')
    ) AS v (name, rights, rule)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own.name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own.name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant USING (%s) WITH CHECK (%s)',
                       own.name, own.rule, own.rule);
        EXECUTE format('GRANT %s ON %I TO relay_tenant', own.rights, own.name);
    END LOOP;
END
$do$;

-- Whether anybody works at all: why a message waits is told to its tenant too.
GRANT SELECT (id, lease_until) ON daemons TO relay_tenant;
GRANT SELECT (n, owner) ON shards TO relay_tenant;
