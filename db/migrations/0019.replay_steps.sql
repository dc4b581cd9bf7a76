-- depends: 0018.replays

-- A step that fails leaves its reason here, and the replay waits; one whose steps fail again and again ends as failed.
ALTER TABLE replays
    ADD COLUMN failures integer NOT NULL DEFAULT 0,  -- steps in a row, up to now
    ADD COLUMN failure text,                         -- what stood in the way of the last one; it stays where it ended
    ADD COLUMN last_turn text,                       -- the line and direction that had room last
    DROP CONSTRAINT replays_state_check,
    ADD CONSTRAINT replays_state_check CHECK (state IN ('running', 'done', 'cancelled', 'failed'));
