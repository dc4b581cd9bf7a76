-- depends: 0029.retention
-- half: expand

-- People to be erased, and who has been: the certificate of it. What they are called is sealed, and gone at the end.
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    digest text NOT NULL,  -- keyed: whoever knows the number can ask whether it was this one, nobody can read it
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now(),
    stage text NOT NULL DEFAULT 'stop',
    sealed text,
    reached jsonb NOT NULL DEFAULT '{}',
    counts jsonb NOT NULL DEFAULT '{}',
    due_at timestamptz DEFAULT now(),  -- NULL: it has ended
    taken_until timestamptz NOT NULL DEFAULT '-infinity',
    failures integer NOT NULL DEFAULT 0,
    trouble text,
    ended_at timestamptz
);
CREATE INDEX erasures_tenant ON erasures (tenant_id, asked_at);
CREATE INDEX erasures_due ON erasures (due_at) WHERE due_at IS NOT NULL;

-- What was on its way when somebody was erased must not come in afterwards. Keyed digests of names, for ten days.
CREATE TABLE tombstones (
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    digest text NOT NULL,
    erased_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX tombstones_until ON tombstones (until);

DO $do$
DECLARE
    own text;
BEGIN
    FOREACH own IN ARRAY ARRAY['erasures', 'tombstones'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', own);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO relay_tenant', own);
    END LOOP;
    GRANT DELETE ON contact_aliases TO relay_tenant;
END
$do$;
