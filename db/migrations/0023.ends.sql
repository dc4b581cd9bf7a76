-- depends: 0022.templates
-- half: expand

-- How conversations ended at Genesys, as it told: each end once, whichever way it came and however often.
CREATE TABLE conversation_ends (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    line_id uuid NOT NULL REFERENCES lines,
    conversation_id uuid NOT NULL REFERENCES conversation_mappings,
    genesys_conversation_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('over', 'agent_left', 'asked')),
    -- who left, by Genesys' id; of what the customer asked for: the message
    participant text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now(),
    -- what was sent to the customer for it
    message_id uuid,
    UNIQUE (conversation_id, genesys_conversation_id, kind, participant, at)
);
CREATE INDEX conversation_ends_timeline ON conversation_ends (conversation_id, at);
CREATE INDEX conversation_ends_age ON conversation_ends (told_at);

-- Customers who asked for the end, until Genesys has been told.
CREATE TABLE end_requests (
    message_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    line_id uuid NOT NULL REFERENCES lines,
    conversation_id uuid NOT NULL REFERENCES conversation_mappings,
    asked_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    tries integer NOT NULL DEFAULT 0
);
CREATE INDEX end_requests_due ON end_requests (due_at);

DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['conversation_ends', 'end_requests'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', name);
        EXECUTE format('GRANT SELECT ON %I TO relay_tenant', name);
    END LOOP;
END
$do$;
