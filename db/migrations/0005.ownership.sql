-- depends: 0004.proof

-- A line goes live when both providers have proved whose it is. Until then it is pending, and the daemons ask again
-- at ask_at; none: nobody asks. A released line keeps its history and owns its number and integration no more.
ALTER TABLE lines
    ADD COLUMN proven_at timestamptz,
    ADD COLUMN ask_at timestamptz,
    -- how often the daemons have asked already
    ADD COLUMN asked integer NOT NULL DEFAULT 0,
    -- since when the provider refuses the credentials of a live line that somebody else has proved to be theirs
    ADD COLUMN disputed_at timestamptz,
    -- when that was seen last: what nobody has seen for long is not still so
    ADD COLUMN dispute_seen_at timestamptz,
    ADD COLUMN released_at timestamptz,
    DROP CONSTRAINT lines_status_check,
    DROP CONSTRAINT lines_tenant_id_phone_number_id_key,
    DROP CONSTRAINT lines_tenant_id_integration_id_key,
    ADD CONSTRAINT lines_status_check CHECK (status IN ('pending', 'active', 'refused', 'released')),
    ADD CONSTRAINT lines_only_pending_is_asked CHECK (ask_at IS NULL OR status = 'pending');
CREATE UNIQUE INDEX lines_own_phone ON lines (tenant_id, phone_number_id) WHERE status <> 'released';
CREATE UNIQUE INDEX lines_own_integration ON lines (tenant_id, integration_id) WHERE status <> 'released';
CREATE INDEX lines_tenant ON lines (tenant_id, id);
CREATE INDEX lines_asked ON lines (tenant_id, ask_at, id) WHERE ask_at IS NOT NULL;
CREATE INDEX lines_released ON lines (released_at) WHERE released_at IS NOT NULL;
