-- depends: 0038.departures
-- half: expand

-- The lines that a person or a key is for; NULL: all lines of the tenant, and what is the tenant's as a whole.
ALTER TABLE users ADD COLUMN line_ids uuid[], ADD CHECK (tenant_id IS NOT NULL OR line_ids IS NULL);
ALTER TABLE api_keys ADD COLUMN line_ids uuid[], ADD CHECK (tenant_id IS NOT NULL OR line_ids IS NULL);

-- Other lines are other rights: keys that were made with the former ones end.
DROP TRIGGER users_rights ON users;
CREATE TRIGGER users_rights BEFORE UPDATE ON users FOR EACH ROW
    WHEN (OLD.role IS DISTINCT FROM NEW.role OR OLD.status IS DISTINCT FROM NEW.status
          OR OLD.line_ids IS DISTINCT FROM NEW.line_ids)
    EXECUTE FUNCTION raise_rights_version();

-- What web does for somebody who is for some lines only, it does in a transaction that names these lines.
CREATE FUNCTION relay_line_ids() RETURNS uuid[] LANGUAGE sql STABLE
    RETURN nullif(current_setting('relay.lines', true), '')::uuid[];

-- On top of the policies that show a tenant its rows, and of no use without these. A table whose rows hang on one of
-- these (message_events, sessions) is limited by its own policy, which looks there.
DO $do$
DECLARE
    every CONSTANT text := '(SELECT relay_line_ids()) IS NULL';
    own record;
BEGIN
    FOR own IN SELECT name, 'ALL' AS what, every || ' OR line_id = ANY ((SELECT relay_line_ids())::uuid[])' AS rule
        FROM unnest(ARRAY[
            'conversation_mappings', 'message_tracking', 'line_notices', 'catch_ups', 'replays', 'message_prices',
            'message_prices_new', 'conversation_ends', 'end_requests', 'check_schedules', 'check_runs', 'conditions'
        ]) name
    UNION ALL VALUES
        ('lines', 'ALL', every || ' OR id = ANY ((SELECT relay_line_ids())::uuid[])'),
        ('condition_changes', 'ALL', every || ' OR EXISTS (SELECT 1 FROM conditions c WHERE c.id = condition_id)'),
        -- what they do is written down all the same
        ('audit_log', 'SELECT', every)
    -- what is the tenant's as a whole
    UNION ALL SELECT name, 'ALL', every
        FROM unnest(ARRAY[
            'message_hours', 'users', 'api_keys', 'onboarding_drafts', 'openid_providers', 'openid_domains',
            'openid_identities', 'event_listeners', 'retention', 'retention_steps', 'erasures', 'tombstones',
            'endpoints', 'endpoint_events', 'endpoint_attempts', 'addressees', 'tenant_deletions'
        ]) name
    LOOP
        EXECUTE format('CREATE POLICY lines_allowed ON %I AS RESTRICTIVE FOR %s TO relay_tenant USING (%s)',
                       own.name, own.what, own.rule);
    END LOOP;
END
$do$;
