-- depends: 0001.spine

-- A tenant's messages, newest first: what the portal and GET /api/messages list.
CREATE INDEX message_tracking_tenant ON message_tracking (tenant_id, seq);
