-- depends: 0027.versions
-- half: expand

-- What was written and sent has been taken out of the row; ids, state and times stay until the row itself ends.
ALTER TABLE message_tracking ADD COLUMN emptied_at timestamptz;
-- The same of a line of the audit log: its digest stays, and the chain leads through it.
ALTER TABLE audit_log ADD COLUMN emptied_at timestamptz;

-- What a tenant chose, in days by kind; a kind that is not in it is as usual here.
CREATE TABLE retention (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    days jsonb NOT NULL,
    chosen_by text NOT NULL,
    chosen_at timestamptz NOT NULL DEFAULT now()
);

-- How far deleting is, of each tenant and kind; the tenant of zeros is the operator's own.
CREATE TABLE retention_steps (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL DEFAULT now(),
    taken_until timestamptz NOT NULL DEFAULT '-infinity',  -- a daemon is at it
    reached jsonb NOT NULL DEFAULT '{}',  -- where the next step goes on
    deleted bigint NOT NULL DEFAULT 0,
    last_deleted bigint NOT NULL DEFAULT 0,  -- in the last round that ended
    this_round bigint NOT NULL DEFAULT 0,
    ended_at timestamptz,  -- the last round
    ended_before timestamptz,  -- what is older was deleted in it
    trouble text,
    PRIMARY KEY (tenant_id, kind)
);
CREATE INDEX retention_steps_due ON retention_steps (due_at);
CREATE INDEX retention_steps_taken ON retention_steps (taken_until) WHERE taken_until > '-infinity';

DO $do$
DECLARE
    own text;
BEGIN
    FOREACH own IN ARRAY ARRAY['retention', 'retention_steps'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', own);
    END LOOP;
    GRANT SELECT, INSERT, UPDATE ON retention TO relay_tenant;
    GRANT SELECT, UPDATE (due_at) ON retention_steps TO relay_tenant;
END
$do$;
