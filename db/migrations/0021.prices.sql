-- depends: 0020.threads
-- half: expand

-- What Meta says that a message costs: by its provider's id an object with category, type, subtype, the recipient's
-- country and when it was said. One message may have gone out twice, and then each copy has its price.
ALTER TABLE message_tracking ADD COLUMN prices jsonb;
-- Of a status that came before its message was known.
ALTER TABLE parked_receipts ADD COLUMN price jsonb;

-- How many messages were charged as what. `month` is its first day, in UTC.
CREATE TABLE message_prices (
    line_id uuid NOT NULL REFERENCES lines ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenants,
    month date NOT NULL,
    country text NOT NULL,
    category text NOT NULL,
    type text NOT NULL,
    subtype text NOT NULL,
    total bigint NOT NULL,
    PRIMARY KEY (line_id, month, country, category, type, subtype)
);
CREATE INDEX message_prices_tenant ON message_prices (tenant_id, month);
CREATE INDEX message_prices_month ON message_prices (month);

-- The same, as each group of statuses leaves it, to be added to the above by a daemon within a minute. Apart, so that
-- groups of the same line wait for each other nowhere; without references, whose rows they would lock.
CREATE TABLE message_prices_new (
    line_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    month date NOT NULL,
    country text NOT NULL,
    category text NOT NULL,
    type text NOT NULL,
    subtype text NOT NULL,
    total bigint NOT NULL
);

DO $do$
DECLARE
    own text;
BEGIN
    FOREACH own IN ARRAY ARRAY['message_prices', 'message_prices_new'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', own);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', own);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO %I USING (true) WITH CHECK (true)', own, current_user);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO relay_tenant
                        USING (tenant_id = (SELECT relay_tenant_id())) WITH CHECK (tenant_id = (SELECT relay_tenant_id()))', own);
        EXECUTE format('GRANT SELECT ON %I TO relay_tenant', own);
    END LOOP;
END
$do$;
