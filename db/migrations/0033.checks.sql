-- depends: 0031.endpoints
-- half: expand

-- When each live line is to be checked next. A daemon that takes one moves it on.
CREATE TABLE check_schedules (
    line_id uuid PRIMARY KEY REFERENCES lines ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenants,
    due_at timestamptz NOT NULL
);
CREATE INDEX check_schedules_due ON check_schedules (due_at);

-- What scheduled checks found. Those in a row that found the same are one, seen so many times: the newest of each line.
CREATE TABLE check_runs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    line_id uuid NOT NULL REFERENCES lines ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenants,
    begun_at timestamptz NOT NULL DEFAULT now(),
    at timestamptz NOT NULL DEFAULT now(),
    times integer NOT NULL DEFAULT 1,
    worst text NOT NULL CHECK (worst IN ('ok', 'warning', 'refused')),
    -- of how many findings `findings` holds those that are not in order
    looked integer NOT NULL,
    findings jsonb NOT NULL
);
CREATE INDEX check_runs_line ON check_runs (line_id, id);
CREATE INDEX check_runs_at ON check_runs (at);

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['check_schedules', 'check_runs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', name);
        EXECUTE format('GRANT SELECT ON %I TO relay_tenant', name);
    END LOOP;
END
$do$;
