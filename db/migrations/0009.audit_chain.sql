-- depends: 0008.openid

-- Lines are chained after their commit, in batches: nobody who writes one waits for anybody else's. `n` counts them in
-- the order in which they were chained; `hash` is over the line's content, `n` and `previous`, the hash of line n - 1.
ALTER TABLE audit_log
    ADD COLUMN n bigint,
    ADD COLUMN previous bytea,
    ADD COLUMN hash bytea,
    ADD CHECK ((n IS NULL) = (hash IS NULL) AND (n IS NULL) = (previous IS NULL));
CREATE UNIQUE INDEX audit_log_chain ON audit_log (n);
CREATE INDEX audit_log_unchained ON audit_log (id) WHERE n IS NULL;

-- What a tenant's request writes is a line, not its place in the chain.
REVOKE INSERT ON audit_log FROM relay_tenant;
GRANT INSERT (tenant_id, actor, action, subject, detail) ON audit_log TO relay_tenant;
