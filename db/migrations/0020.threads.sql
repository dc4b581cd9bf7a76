-- depends: 0019.replay_steps
-- half: expand

-- Who answers the contact of a conversation, where a business has several responders: what was last heard, of when, and
-- when the contact last wrote, to whomever. What is older than a day of the contact's silence is no longer believed.
ALTER TABLE conversation_mappings
    ADD COLUMN thread_state text CHECK (thread_state IN ('owned', 'elsewhere', 'idle', 'unknown')),
    ADD COLUMN thread_role text,
    ADD COLUMN thread_at timestamptz,
    ADD COLUMN heard_at timestamptz;
