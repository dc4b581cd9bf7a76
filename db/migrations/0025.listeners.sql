-- depends: 0024.rates
-- half: expand

-- Tenants whose Genesys is listened to for ends of conversations, on a WebSocket: each by one daemon at a time. Made
-- where a live line wants it, deleted when none does any more.
CREATE TABLE event_listeners (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    -- who is at it, and until when it is nobody else's
    taken_by uuid,
    taken_until timestamptz,
    due_at timestamptz NOT NULL DEFAULT now(),
    -- failures in a row
    tries integer NOT NULL DEFAULT 0,
    -- Genesys' channel: whoever knows its address hears what is told there
    sealed_channel text,
    -- of how many conversations it is told; of how many more there was no room
    conversations integer NOT NULL DEFAULT 0,
    left_out integer NOT NULL DEFAULT 0,
    -- since when it is told; none: it is not
    since timestamptz,
    trouble text
);

DO $do$
BEGIN
    ALTER TABLE event_listeners ENABLE ROW LEVEL SECURITY;
    ALTER TABLE event_listeners FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON event_listeners TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON event_listeners TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT ON event_listeners TO relay_tenant;
END
$do$;

-- What a receipt tells besides of its contact and conversation: relay.core.messages.Receipt, without what stands beside it
ALTER TABLE parked_receipts ADD COLUMN more jsonb;
