-- depends: 0007.lineage

-- Whoever comes from an OpenID provider only has no password here.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
-- So that an identity can be tied to a user of one tenant.
ALTER TABLE users ADD CONSTRAINT users_of_tenant UNIQUE (id, tenant_id);

-- Where the people of a tenant log in. Its secret is sealed; `login_key` is the part of its log-in address that
-- nobody guesses. Without `passwords` no password of the tenant's people admits.
CREATE TABLE openid_providers (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    name text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    sealed text NOT NULL,
    role_claim text NOT NULL,
    admin_values text[] NOT NULL,
    viewer_values text[] NOT NULL,
    login_key text NOT NULL UNIQUE,
    found_by_domain boolean NOT NULL DEFAULT false,
    second_factor boolean NOT NULL DEFAULT false,
    passwords boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The e-mail addresses for which a tenant's provider may speak. The operator's word, and each is one tenant's only.
CREATE TABLE openid_domains (
    domain text PRIMARY KEY CHECK (domain = lower(domain)),
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE
);
CREATE INDEX openid_domains_tenant ON openid_domains (tenant_id);

-- Who is whom: an issuer's subject is one user for ever, whatever its e-mail address says later. `provider_tenant_id`:
-- whose provider vouched for it, null for the installation's. A tenant's can never be tied to a user of somebody else.
CREATE TABLE openid_identities (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    provider_tenant_id uuid REFERENCES tenants,
    issuer text NOT NULL,
    subject text NOT NULL,
    bound_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (user_id, provider_tenant_id) REFERENCES users (id, tenant_id)
);
CREATE UNIQUE INDEX openid_identities_installation ON openid_identities (issuer, subject)
    WHERE provider_tenant_id IS NULL;
CREATE UNIQUE INDEX openid_identities_tenant ON openid_identities (provider_tenant_id, issuer, subject)
    WHERE provider_tenant_id IS NOT NULL;

-- Log-ins that came back from their provider already: none does so twice. Kept as long as one may take.
CREATE TABLE openid_returns (
    state_hash bytea PRIMARY KEY,
    until timestamptz NOT NULL
);
CREATE INDEX openid_returns_until ON openid_returns (until);

-- Whose password admits for a while although passwords are switched off: the operator's way in when a provider fails.
CREATE TABLE emergency_passwords (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    until timestamptz NOT NULL
);

DO $do$
DECLARE
    own record;
BEGIN
    FOR own IN SELECT * FROM (VALUES
        ('openid_providers', 'SELECT, INSERT, UPDATE, DELETE', 'tenant_id = (SELECT relay_tenant_id())'),
        ('openid_domains', 'SELECT', 'tenant_id = (SELECT relay_tenant_id())'),
        ('openid_identities', 'SELECT, INSERT, UPDATE, DELETE', 'EXISTS (SELECT 1 FROM users u WHERE u.id = user_id)')
    ) AS v (name, rights, rule)
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own.name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own.name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own.name, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant USING (%s) WITH CHECK (%s)',
                       own.name, own.rule, own.rule);
        EXECUTE format('GRANT %s ON %I TO relay_tenant', own.rights, own.name);
    END LOOP;
END
$do$;
