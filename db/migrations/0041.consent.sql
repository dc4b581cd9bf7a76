-- depends: 0040.lines
-- half: expand

-- Whether the operator's people and keys see what is the tenant's only while the tenant lets them, and until when it does.
-- What was before is in the audit log.
ALTER TABLE tenants
    ADD COLUMN visits_by_consent boolean NOT NULL DEFAULT false,
    ADD COLUMN visit_until timestamptz,
    -- the operator let itself in, with a reason
    ADD COLUMN visit_forced boolean NOT NULL DEFAULT false,
    ADD COLUMN visit_by text NOT NULL DEFAULT '',
    ADD COLUMN visit_reason text NOT NULL DEFAULT '';
-- Few, and asked for wherever an operator names no tenant.
CREATE INDEX tenants_by_consent ON tenants (id) WHERE visits_by_consent;
