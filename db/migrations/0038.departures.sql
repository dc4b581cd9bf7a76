-- depends: 0037.languages
-- half: expand

-- Tenants that leave: closed, then deleted step by step. At the end this is the certificate, and names nobody.
CREATE TABLE tenant_deletions (
    tenant_id uuid PRIMARY KEY,  -- no reference: it outlives the tenant
    name text NOT NULL,  -- what has to be typed to begin at once; '' at the end
    refs text[] NOT NULL,  -- ids of its lines at the providers, to find its part of what it shared; empty at the end
    since timestamptz NOT NULL,  -- since when it was a tenant
    closed_at timestamptz NOT NULL DEFAULT now(),
    begins_at timestamptz NOT NULL,
    begun_at timestamptz,
    stage text NOT NULL DEFAULT 'closed',
    reached jsonb NOT NULL DEFAULT '{}',
    counts jsonb NOT NULL DEFAULT '{}',
    due_at timestamptz,  -- of the next step; NULL: it has ended
    taken_until timestamptz NOT NULL DEFAULT '-infinity',
    failures integer NOT NULL DEFAULT 0,
    trouble text,
    ended_at timestamptz
);
CREATE INDEX tenant_deletions_due ON tenant_deletions (due_at) WHERE due_at IS NOT NULL;

DO $do$
BEGIN
    ALTER TABLE tenant_deletions ENABLE ROW LEVEL SECURITY;
    ALTER TABLE tenant_deletions FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON tenant_deletions TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON tenant_deletions TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT ON tenant_deletions TO relay_tenant;
END
$do$;
