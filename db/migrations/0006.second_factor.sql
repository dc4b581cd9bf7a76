-- depends: 0005.ownership

-- A second factor: the secret that a person's authenticator app shares with us, sealed; the last half minute whose
-- code was taken, so that a code is good for once; hashes of the codes for whoever has lost the app.
ALTER TABLE users
    ADD COLUMN second_factor_at timestamptz,
    ADD COLUMN totp_sealed text,
    ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,
    ADD COLUMN recovery_hashes bytea[] NOT NULL DEFAULT '{}',
    -- a password of somebody else's choice is good until then
    ADD COLUMN password_until timestamptz,
    ADD CONSTRAINT users_second_factor CHECK ((second_factor_at IS NULL) = (totp_sealed IS NULL));
UPDATE users SET password_until = now() + interval '48 hours' WHERE must_change;

-- Whether this tenant's people have to have one.
ALTER TABLE tenants ADD COLUMN second_factor_demanded boolean NOT NULL DEFAULT false;

-- The id stays when the token changes. `second_factor`: this browser has shown one; `proved_at`: when its person
-- last showed a password or a code.
ALTER TABLE sessions
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN second_factor boolean NOT NULL DEFAULT false,
    ADD COLUMN proved_at timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX sessions_id ON sessions (id);

-- What people are to be told about their own log-in, until they have seen it. `session_id`: the browser that did it
-- knows already.
CREATE TABLE user_news (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    what text NOT NULL,
    thing text NOT NULL DEFAULT '',
    actor text NOT NULL,
    agent text NOT NULL DEFAULT '',
    session_id uuid,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_news_user ON user_news (user_id, id);

DO $do$
BEGIN
    ALTER TABLE user_news ENABLE ROW LEVEL SECURITY;
    ALTER TABLE user_news FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON user_news TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON user_news TO relay_tenant
        USING (EXISTS (SELECT 1 FROM users u WHERE u.id = user_id))
        WITH CHECK (EXISTS (SELECT 1 FROM users u WHERE u.id = user_id));
    GRANT SELECT, INSERT, DELETE ON user_news TO relay_tenant;
END
$do$;
