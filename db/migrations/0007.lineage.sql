-- depends: 0006.second_factor

-- Raised whenever a person gains or loses rights, whoever writes the row: what they made before hangs on the former number.
ALTER TABLE users ADD COLUMN rights_version integer NOT NULL DEFAULT 0;
CREATE FUNCTION raise_rights_version() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
    NEW.rights_version := OLD.rights_version + 1;
    RETURN NEW;
END
$do$;
CREATE TRIGGER users_rights BEFORE UPDATE ON users FOR EACH ROW
    WHEN (OLD.role IS DISTINCT FROM NEW.role OR OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION raise_rights_version();

-- Who made a key: another key, a person, ADMIN_API_KEY (by a slow digest of it), or the installation's own commands.
ALTER TABLE api_keys
    ADD COLUMN maker text NOT NULL DEFAULT 'installation'
        CHECK (maker IN ('key', 'user', 'admin-key', 'installation')),
    ADD COLUMN maker_key uuid REFERENCES api_keys,
    ADD COLUMN maker_user uuid REFERENCES users,
    ADD COLUMN maker_rights integer,
    ADD COLUMN maker_digest bytea,
    -- how many keys stand above it
    ADD COLUMN generation smallint NOT NULL DEFAULT 0,
    ADD CHECK ((maker = 'key') = (maker_key IS NOT NULL)),
    ADD CHECK ((maker = 'user') = (maker_user IS NOT NULL));
CREATE INDEX api_keys_maker_key ON api_keys (maker_key) WHERE maker_key IS NOT NULL;
CREATE INDEX api_keys_maker_user ON api_keys (maker_user) WHERE maker_user IS NOT NULL;
-- The people a key has invited: told when it is revoked.
ALTER TABLE users ADD COLUMN maker_key uuid REFERENCES api_keys;
CREATE INDEX users_maker_key ON users (maker_key) WHERE maker_key IS NOT NULL;

-- Keys of before: their maker stands in words.
UPDATE api_keys k SET maker = 'user', maker_user = u.id, maker_rights = u.rights_version
FROM users u WHERE u.email = k.created_by AND (u.tenant_id IS NULL OR u.tenant_id = k.tenant_id);
UPDATE api_keys k SET maker = 'key', maker_key = m.id, generation = 1
FROM api_keys m WHERE k.maker = 'installation' AND m.id <> k.id AND m.created_at <= k.created_at
    AND k.created_by = 'key ' || m.name || ' (' || right(m.id::text, 8) || ')';
UPDATE api_keys SET maker = 'admin-key' WHERE maker = 'installation' AND created_by = 'operator';

-- Whether all that a key hangs on still holds. As the owner: a tenant's key may hang on an operator's, which the tenant
-- does not see.
CREATE FUNCTION key_holds(key uuid, root bytea) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $do$
    WITH RECURSIVE chain AS (
        SELECT k.*, 1 AS length FROM api_keys k WHERE k.id = $1
        UNION ALL
        SELECT m.*, c.length + 1 FROM chain c JOIN api_keys m ON m.id = c.maker_key WHERE c.length < 32
    )
    SELECT coalesce(bool_and(revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())), false)
       AND coalesce(bool_or(CASE maker
               WHEN 'installation' THEN true
               WHEN 'admin-key' THEN maker_digest IS NULL OR maker_digest = $2
               WHEN 'user' THEN EXISTS (SELECT 1 FROM users u WHERE u.id = maker_user AND u.status = 'active'
                                        AND u.rights_version = maker_rights)
               ELSE false END), false)
    FROM chain
$do$;
REVOKE EXECUTE ON FUNCTION key_holds(uuid, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION key_holds(uuid, bytea) TO relay_tenant;
