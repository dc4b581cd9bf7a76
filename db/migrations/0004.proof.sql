-- depends: 0003.content

-- What waits for a line keeps who proved it: `signer` is the digest of the secret that signed the webhook (db.tenants.signers),
-- '' where an earlier version kept it and nobody knows. `owner` says whose secret that was: a tenant's id, '' the operator's.
-- `raw` is a body that was kept whole, deflated. What was relayed is no longer kept, so the mark for it goes.
DELETE FROM unknown_lines WHERE replayed_at IS NOT NULL;
DROP INDEX unknown_lines_ref;
ALTER TABLE unknown_lines
    DROP COLUMN replayed_at,
    ADD COLUMN signer text NOT NULL DEFAULT '',
    ADD COLUMN owner text NOT NULL DEFAULT '',
    ADD COLUMN size integer NOT NULL DEFAULT 0,
    ADD COLUMN raw bytea;
UPDATE unknown_lines SET size = octet_length(payload::text);
CREATE INDEX unknown_lines_ref ON unknown_lines (channel, line_ref, signer, id);
CREATE INDEX unknown_lines_owner ON unknown_lines (owner, id);

-- How much each signer keeps there: a tenant's id, '' for the operator's app. Counted in the transaction that keeps.
CREATE TABLE unknown_quotas (
    owner text PRIMARY KEY,
    items bigint NOT NULL,
    bytes bigint NOT NULL
);
INSERT INTO unknown_quotas SELECT '', count(*), coalesce(sum(size), 0) FROM unknown_lines HAVING count(*) > 0;
