-- depends: 0043.erasures
-- half: expand

-- A tenant's people are told by e-mail once they have opened the link that their address was sent.
-- `confirmed` is the address from which that was done.
ALTER TABLE addressees ADD COLUMN confirmed text, ADD COLUMN asked_at timestamptz;
CREATE INDEX addressees_unasked ON addressees (id)
    WHERE kind = 'mail' AND tenant_id IS NOT NULL AND asked_at IS NULL AND wanted;

-- The mails that asked, by which their number is bounded. No reference: the bounds outlast a user.
CREATE TABLE confirming_mails (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL,
    -- a keyed digest
    address text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX confirming_mails_tenant ON confirming_mails (tenant_id, at);
CREATE INDEX confirming_mails_address ON confirming_mails (address, at);
CREATE INDEX confirming_mails_at ON confirming_mails (at);

DO $do$
BEGIN
    ALTER TABLE confirming_mails ENABLE ROW LEVEL SECURITY;
    ALTER TABLE confirming_mails FORCE ROW LEVEL SECURITY;
    EXECUTE format('CREATE POLICY owner_sees_all ON confirming_mails TO %I USING (true) WITH CHECK (true)', current_user);
    CREATE POLICY tenant_sees_own ON confirming_mails TO relay_tenant
        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()));
    -- the tenant's as a whole: whoever is for some of its lines sees none
    CREATE POLICY lines_allowed ON confirming_mails AS RESTRICTIVE TO relay_tenant
        USING ((SELECT relay_line_ids()) IS NULL);
    GRANT SELECT ON confirming_mails TO relay_tenant;
END
$do$;
