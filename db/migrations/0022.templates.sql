-- depends: 0021.prices
-- half: expand

-- The approved templates of each tenant's WhatsApp account, as Meta listed them last: asked for by the hour, at once when
-- Meta tells of a change, and at a button. A tenant without an active line loses its list after a week.
CREATE TABLE template_lists (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    waba_id text NOT NULL DEFAULT '',
    -- when Meta's whole list was read last; none: never
    fetched_at timestamptz,
    -- when a daemon is to ask; a change that Meta tells of moves it to now
    due_at timestamptz NOT NULL DEFAULT now(),
    -- a daemon or a page is at it
    taken_until timestamptz,
    -- why Meta's answer could not be had, the last time
    trouble text
);
CREATE INDEX template_lists_due ON template_lists (due_at);

CREATE TABLE templates (
    tenant_id uuid NOT NULL REFERENCES template_lists ON DELETE CASCADE,
    name text NOT NULL,
    language text NOT NULL,
    status text NOT NULL,
    category text NOT NULL,
    quality text NOT NULL,
    -- what it is made of and the rest of relay.core.templates.listed; none: Meta told of it, and has not described it yet
    described jsonb,
    -- the newest few of what Meta told of it: relay.core.templates.news
    news jsonb NOT NULL DEFAULT '[]',
    -- when Meta told of it by a webhook last: what was told is not undone by a list that was asked for before
    told_at timestamptz,
    PRIMARY KEY (tenant_id, name, language)
);

DO $do$
BEGIN
    ALTER TABLE template_lists ENABLE ROW LEVEL SECURITY;
    ALTER TABLE template_lists FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON template_lists TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON template_lists TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT, INSERT, UPDATE ON template_lists TO relay_tenant;
    ALTER TABLE templates ENABLE ROW LEVEL SECURITY;
    ALTER TABLE templates FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON templates TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON templates TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO relay_tenant;
END
$do$;
