-- depends: 0009.audit_chain

-- Wrong passwords and codes of an account, by where they came from: a digest of the device, or of the network of a device
-- that this account has never been logged in on. Those of all unknown devices together stay with the user. A day ends them.
CREATE TABLE login_guesses (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    source bytea NOT NULL,
    known boolean NOT NULL,
    failures integer NOT NULL,
    locked_until timestamptz,
    last_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, source)
);
CREATE INDEX login_guesses_age ON login_guesses (last_at);
ALTER TABLE users ADD COLUMN failed_at timestamptz;
UPDATE users SET failed_at = now() WHERE failures > 0;
CREATE INDEX users_failed ON users (failed_at) WHERE failures > 0;

DO $do$
BEGIN
    ALTER TABLE login_guesses ENABLE ROW LEVEL SECURITY;
    ALTER TABLE login_guesses FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON login_guesses TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON login_guesses TO relay_tenant
        USING (EXISTS (SELECT 1 FROM users u WHERE u.id = user_id))
        WITH CHECK (EXISTS (SELECT 1 FROM users u WHERE u.id = user_id));
    GRANT SELECT, DELETE ON login_guesses TO relay_tenant;
END
$do$;
