-- depends: 0030.erasures
-- half: expand

-- Where tenants want to be told what happens, and what they are to be told. `sealed` holds the secrets, the newest first.
CREATE TABLE endpoints (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    url text NOT NULL,
    name text NOT NULL DEFAULT '',
    kinds text[] NOT NULL,
    contents boolean NOT NULL DEFAULT false,
    active boolean NOT NULL DEFAULT true,
    -- why it was switched off, where its owner did not do it
    off_reason text,
    sealed text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- one daemon at a time sends to it; after a run of failures nobody does for a while
    taken_until timestamptz NOT NULL DEFAULT '-infinity',
    rests_until timestamptz NOT NULL DEFAULT '-infinity',
    troubles integer NOT NULL DEFAULT 0,
    trouble text
);
CREATE INDEX endpoints_tenant ON endpoints (tenant_id);

-- What happened, one row for each endpoint that wants to know. It names things and holds nothing of what was said.
-- Without a foreign key to endpoints: deleting one with a million events would take as long, and they have an end.
CREATE TABLE endpoint_events (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- What happened to a message after something else was committed has a higher one. Of two things that were written
    -- side by side either may be first.
    seq bigint GENERATED ALWAYS AS IDENTITY,
    endpoint_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    -- in order among each other are those of one conversation, of one line, of one tenant
    lane uuid NOT NULL,
    message_id uuid,
    data jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT '-infinity',
    expires_at timestamptz NOT NULL DEFAULT now() + interval '1 day',
    ended_at timestamptz,
    reason text
);
CREATE INDEX endpoint_events_lane ON endpoint_events (endpoint_id, lane, seq) WHERE state = 'waiting';
CREATE INDEX endpoint_events_expire ON endpoint_events (expires_at) WHERE state = 'waiting';
CREATE INDEX endpoint_events_ended ON endpoint_events (state, ended_at) WHERE state <> 'waiting';
CREATE INDEX endpoint_events_listed ON endpoint_events (endpoint_id, state, seq);

CREATE TABLE endpoint_attempts (
    event_id uuid NOT NULL REFERENCES endpoint_events ON DELETE CASCADE,
    n integer NOT NULL,
    tenant_id uuid NOT NULL,
    at timestamptz NOT NULL,
    seconds real NOT NULL,
    -- what the endpoint answered; null: nothing
    status integer,
    code text,
    detail text,
    answer text,
    PRIMARY KEY (event_id, n)
);

DO $do$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT * FROM (VALUES
        ('endpoints', 'SELECT, INSERT, UPDATE, DELETE'),
        ('endpoint_events', 'SELECT, INSERT, UPDATE'),
        ('endpoint_attempts', 'SELECT')) AS v (name, rights)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own.name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own.name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
            USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', own.name);
        EXECUTE format('GRANT %s ON %I TO relay_tenant', own.rights, own.name);
    END LOOP;
END
$do$;

-- Whether anybody wants to hear of it: decided once, when the row is written. Of all others nothing is asked any more.
ALTER TABLE message_tracking ADD COLUMN events_wanted boolean NOT NULL DEFAULT false;

-- An event is written by the statement that writes what it tells of, whichever that is, and whoever makes it: triggers
-- work as the tables' owner.
CREATE FUNCTION relay_tell_endpoints(told_tenant uuid, told_kind text, told_lane uuid, told_message uuid, told jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO endpoint_events (endpoint_id, tenant_id, kind, lane, message_id, data)
    SELECT id, told_tenant, told_kind, told_lane, told_message, told FROM endpoints
    WHERE tenant_id = told_tenant AND active AND told_kind = ANY(kinds)
$$;

CREATE FUNCTION relay_message_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM relay_tell_endpoints(
        NEW.tenant_id, 'message.' || CASE NEW.state WHEN 'dead' THEN 'failed' ELSE NEW.state END, NEW.conversation_id,
        NEW.id,
        jsonb_build_object('message_id', NEW.id, 'conversation_id', NEW.conversation_id, 'line_id', NEW.line_id,
                           'direction', NEW.direction, 'type', NEW.type, 'origin', NEW.origin, 'state', NEW.state,
                           'reason_code', NEW.reason_code, 'reason', NEW.reason));
    RETURN NULL;
END
$$;
CREATE TRIGGER message_received AFTER INSERT ON message_tracking FOR EACH ROW
    WHEN (NEW.events_wanted AND NEW.state IN ('received', 'failed')) EXECUTE FUNCTION relay_message_event();
CREATE TRIGGER message_moved AFTER UPDATE ON message_tracking FOR EACH ROW
    WHEN (NEW.events_wanted AND NEW.state IS DISTINCT FROM OLD.state
          AND NEW.state IN ('sent', 'delivered', 'read', 'failed', 'dead')) EXECUTE FUNCTION relay_message_event();

CREATE FUNCTION relay_begun_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM relay_tell_endpoints(
        c.tenant_id, 'conversation.begun', c.id, NULL,
        jsonb_build_object('conversation_id', c.id, 'line_id', c.line_id,
                           'genesys_conversation_id', NEW.genesys_conversation_id))
    FROM conversation_mappings c WHERE c.id = NEW.conversation_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER conversation_begun AFTER INSERT ON genesys_conversations FOR EACH ROW
    EXECUTE FUNCTION relay_begun_event();

CREATE FUNCTION relay_ended_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM relay_tell_endpoints(
        NEW.tenant_id, 'conversation.ended', NEW.conversation_id, NULL,
        jsonb_build_object('conversation_id', NEW.conversation_id, 'line_id', NEW.line_id,
                           'genesys_conversation_id', NEW.genesys_conversation_id, 'reason', NEW.reason));
    RETURN NULL;
END
$$;
CREATE TRIGGER conversation_ended AFTER INSERT ON conversation_ends FOR EACH ROW
    WHEN (NEW.kind = 'over') EXECUTE FUNCTION relay_ended_event();

CREATE FUNCTION relay_line_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM relay_tell_endpoints(
        NEW.tenant_id, 'line.health', NEW.id, NULL,
        jsonb_build_object('line_id', NEW.id, 'health', NEW.status, 'reason', NEW.status_reason));
    RETURN NULL;
END
$$;
CREATE TRIGGER line_changed AFTER UPDATE OF status ON lines FOR EACH ROW
    WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION relay_line_event();

-- Credentials are the tenant's, for all lines of it.
CREATE FUNCTION relay_credentials_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM relay_tell_endpoints(
        NEW.tenant_id, 'line.health', NEW.tenant_id, NULL,
        jsonb_build_object('side', NEW.type, 'health', NEW.health, 'reason', NEW.health_reason));
    RETURN NULL;
END
$$;
CREATE TRIGGER credentials_changed AFTER UPDATE OF health ON tenant_credentials FOR EACH ROW
    WHEN (NEW.health IS DISTINCT FROM OLD.health AND NEW.health <> 'unknown')
    EXECUTE FUNCTION relay_credentials_event();
