-- depends: 0034.conditions
-- half: expand

-- What the operator's people and keys did in a tenant is shown to that tenant: the newest of it at each look at its dashboard.
CREATE INDEX audit_log_by_operator ON audit_log (tenant_id, id) WHERE detail ? 'by_operator';
