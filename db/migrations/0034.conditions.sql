-- depends: 0033.checks
-- half: expand

-- What is wrong for longer than a moment, from its beginning to its end. Those that are over are kept for a month.
CREATE TABLE conditions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    kind text NOT NULL,
    -- none: it is about all lines of the tenant
    line_id uuid REFERENCES lines ON DELETE CASCADE,
    subject text NOT NULL,
    detail text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- since when it has not been seen; it is over when it has not come back within minutes
    gone_at timestamptz,
    over_at timestamptz
);
CREATE UNIQUE INDEX conditions_open ON conditions
    (tenant_id, kind, coalesce(line_id, '00000000-0000-0000-0000-000000000000'), subject) WHERE over_at IS NULL;
CREATE INDEX conditions_tenant ON conditions (tenant_id, id);
CREATE INDEX conditions_line ON conditions (line_id);
CREATE INDEX conditions_over ON conditions (over_at) WHERE over_at IS NOT NULL;

-- Beginnings and ends in the order in which they were seen. One evaluates at a time, so the numbers are in order, too.
CREATE TABLE condition_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    condition_id bigint NOT NULL REFERENCES conditions ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('begun', 'over')),
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX condition_changes_tenant ON condition_changes (tenant_id, id);
CREATE INDEX condition_changes_condition ON condition_changes (condition_id);

-- Where the evaluation stands: the daemon that holds the row works on the tenants after `after`.
CREATE TABLE condition_round (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    after uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    due_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO condition_round DEFAULT VALUES;

-- Who is told: people by e-mail, and one webhook of a tenant, or of the operator (no tenant).
CREATE TABLE addressees (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id uuid REFERENCES tenants ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('mail', 'webhook')),
    user_id uuid UNIQUE REFERENCES users ON DELETE CASCADE,
    -- address and secret of a webhook
    sealed text,
    host text NOT NULL DEFAULT '',
    wanted boolean NOT NULL DEFAULT true,
    quiet_begin time,
    quiet_end time,
    zone text NOT NULL DEFAULT 'UTC',
    -- what they have been told: changes up to this one
    through bigint NOT NULL DEFAULT 0,
    -- when there is something to tell; a daemon that takes it moves it on
    due_at timestamptz,
    tries integer NOT NULL DEFAULT 0,
    trouble text,
    told_at timestamptz,
    CHECK ((kind = 'mail') = (user_id IS NOT NULL)),
    CHECK ((kind = 'webhook') = (sealed IS NOT NULL)),
    CHECK ((quiet_begin IS NULL) = (quiet_end IS NULL))
);
CREATE UNIQUE INDEX addressees_webhook ON addressees
    (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000')) WHERE kind = 'webhook';
CREATE INDEX addressees_tenant ON addressees (tenant_id);
CREATE INDEX addressees_due ON addressees (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX templates_stopped ON templates (tenant_id) WHERE status IN ('PAUSED', 'DISABLED');
CREATE INDEX credentials_refused ON tenant_credentials (tenant_id) WHERE health = 'refused';

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['conditions', 'condition_changes', 'addressees'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', name);
        EXECUTE format('GRANT SELECT ON %I TO relay_tenant', name);
    END LOOP;
    GRANT INSERT, UPDATE, DELETE ON addressees TO relay_tenant;
END
$do$;
