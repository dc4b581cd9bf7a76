-- depends: 0002.portal

-- The window in which the business may answer freely (nothing known: the provider decides), and what typing and read
-- marks refer to.
ALTER TABLE conversation_mappings
    ADD COLUMN window_until timestamptz,
    -- a template went out in place of a message since the window closed
    ADD COLUMN invited_at timestamptz,
    ADD COLUMN last_inbound_id text,
    ADD COLUMN username text,
    -- raised with every name that the conversation gave up or lost: what is remembered of it is out of date
    ADD COLUMN names_version integer NOT NULL DEFAULT 0;

-- Until when the alias belonged to its conversation: a number may be given to somebody else later.
ALTER TABLE contact_aliases ADD COLUMN until timestamptz;
GRANT UPDATE ON contact_aliases TO relay_tenant;

-- The provider's whole answer, where it refused.
ALTER TABLE message_attempts ADD COLUMN answer text;
ALTER TABLE parked_receipts ADD COLUMN answer text, ADD COLUMN fate text;

-- The newest of an id are kept: found by walking the index.
DROP INDEX unknown_lines_ref;
CREATE INDEX unknown_lines_ref ON unknown_lines (channel, line_ref, id) WHERE replayed_at IS NULL;

-- What reached a line and is no contact's message: news of the account, and what nobody can read.
CREATE TABLE line_notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    line_id uuid NOT NULL REFERENCES lines ON DELETE CASCADE,
    channel text NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL,
    payload json NOT NULL,
    -- a repeated webhook makes no second one
    digest bytea NOT NULL,
    at timestamptz NOT NULL,
    UNIQUE (line_id, digest)
);
CREATE INDEX line_notices_tenant ON line_notices (tenant_id, id);
CREATE INDEX line_notices_line ON line_notices (line_id, id);
CREATE INDEX line_notices_at ON line_notices (at);

DO $do$
BEGIN
    ALTER TABLE line_notices ENABLE ROW LEVEL SECURITY;
    ALTER TABLE line_notices FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON line_notices TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON line_notices TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT ON line_notices TO relay_tenant;
END
$do$;
