-- depends: 0015.catch_up

-- Sending dead letters again: which of them, and how far it is. Daemons do it a few at a time; who has stopped, or was
-- killed, has left it as it stands here. One of each tenant at a time.
CREATE TABLE replays (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'cancelled')),
    started_by text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_by text,
    ended_at timestamptz,
    -- which ones: all that died before it began and match what stands here
    ids uuid[],
    line_id uuid,
    direction text,
    reason_code text,
    since timestamptz,
    until timestamptz,
    -- how many there were; how many went back to their conversations, and what became of those
    total integer NOT NULL,
    put_back integer NOT NULL DEFAULT 0,
    carried integer NOT NULL DEFAULT 0,
    failed_again integer NOT NULL DEFAULT 0,
    -- of each line and direction the last one looked at, or null where nothing is left
    reached jsonb NOT NULL DEFAULT '{}',
    stepped_at timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE UNIQUE INDEX replays_running ON replays (tenant_id) WHERE state = 'running';
CREATE INDEX replays_tenant ON replays (tenant_id, started_at);
CREATE INDEX replays_ended ON replays (ended_at) WHERE ended_at IS NOT NULL;

-- Those put back whose end has not been counted yet: a few of each replay.
CREATE TABLE replays_under_way (
    replay_id uuid NOT NULL REFERENCES replays ON DELETE CASCADE,
    message_id uuid NOT NULL,
    line_id uuid NOT NULL,
    direction text NOT NULL,
    PRIMARY KEY (replay_id, message_id)
);

DO $do$
BEGIN
    ALTER TABLE replays ENABLE ROW LEVEL SECURITY;
    ALTER TABLE replays FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON replays TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON replays TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    GRANT SELECT, INSERT, UPDATE ON replays TO relay_tenant;
    ALTER TABLE replays_under_way ENABLE ROW LEVEL SECURITY;
    ALTER TABLE replays_under_way FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON replays_under_way TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON replays_under_way TO relay_tenant
        USING (EXISTS (SELECT 1 FROM replays r WHERE r.id = replay_id))
        WITH CHECK (EXISTS (SELECT 1 FROM replays r WHERE r.id = replay_id));
    GRANT SELECT ON replays_under_way TO relay_tenant;
END
$do$;
