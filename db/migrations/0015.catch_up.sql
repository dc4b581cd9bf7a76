-- depends: 0014.daemons_alive

-- A message may come by neither webhook nor API: asked for at Genesys, whose webhook nobody had taken.
-- NOT VALID: what is there already has passed a narrower rule, and need not be read again.
ALTER TABLE message_tracking
    DROP CONSTRAINT message_tracking_origin_check,
    ADD CONSTRAINT message_tracking_origin_check CHECK (origin IN ('webhook', 'api', 'catch_up')) NOT VALID;

-- What Genesys gave up to bring, and is to be asked for: a row for each line for which that was ever wanted.
CREATE TABLE catch_ups (
    line_id uuid PRIMARY KEY REFERENCES lines ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenants,
    -- what was written since then is looked for
    since timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN ('absence', 'asked')),
    -- when a daemon is to begin; none: nothing is wanted
    due_at timestamptz DEFAULT now(),
    -- rises with each wish, so that one that comes while a daemon is at it is not lost
    wish bigint NOT NULL DEFAULT 1,
    -- so often it is still to be looked, and so often it could not be finished so far
    looks integer NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    -- a daemon is at it
    taken_until timestamptz,
    -- the newest one that began
    begun_at timestamptz,
    ended_at timestamptz,
    conversations integer NOT NULL DEFAULT 0,
    asked integer NOT NULL DEFAULT 0,
    found integer NOT NULL DEFAULT 0,
    outcome text CHECK (outcome IN ('complete', 'incomplete', 'failed')),
    why text
);
CREATE INDEX catch_ups_due ON catch_ups (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX catch_ups_tenant ON catch_ups (tenant_id);

DO $do$
BEGIN
    ALTER TABLE catch_ups ENABLE ROW LEVEL SECURITY;
    ALTER TABLE catch_ups FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON catch_ups TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON catch_ups TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT, INSERT, UPDATE ON catch_ups TO relay_tenant;
END
$do$;
