-- depends: 0010.guesses

-- What is asked of a conversation with every message stands in its row: when its contact's newest message was written
-- (by the provider's clock), and in which ten minutes it was last active. The list of the last active ones goes by
-- those ten minutes and sorts within them, so that a message changes no index of its conversation (a HOT update).
--
-- Rewrites conversation_mappings with its indexes and locks it meanwhile: 25 s for each million conversations on two
-- busy cores. Web answers webhooks all the time; what arrives waits in the broker.
DROP INDEX conversation_mappings_recent;
ALTER TABLE conversation_mappings
    ADD COLUMN last_inbound_at timestamptz,
    ADD COLUMN last_slot timestamptz NOT NULL
        GENERATED ALWAYS AS (date_bin('10 minutes', last_at, '2000-01-01 00:00:00+00')) STORED,
    -- room on each page for the next version of its rows
    SET (fillfactor = 70);
CREATE INDEX conversation_mappings_recent ON conversation_mappings (line_id, last_slot);

-- Where the window is over, the contact's next message is the newest whatever its time.
UPDATE conversation_mappings c SET last_inbound_at = m.provider_time
FROM message_tracking m
WHERE c.window_until > now() AND m.line_id = c.line_id AND m.direction = 'inbound' AND m.source_id = c.last_inbound_id;
