-- depends: 0011.conversation_news

-- A message's row is written anew within its page (a HOT update) as long as no indexed column changes its value. So
-- state, report and reported are in no index; what is asked of them stands in columns that follow them and change less:
-- `unfinished` is left once, when all is done and told; `listed_as` is the state as lists have it, in which a claimed
-- message is still one that waits. So a claim, and a retry, touch no index.
--
-- message_tracking_line goes: message_tracking_state serves its lists. message_tracking_unfinished goes: by the order of
-- arrival, its beginning held but what was finished, until the next VACUUM, and the sweep went through that each second.
--
-- Of a call under way the message's row holds all (`deadline_at` with the claim's time and epoch); its own row in
-- message_attempts is made when it has ended.
--
-- Rewrites message_tracking with its indexes and locks it meanwhile: 50 s for each million messages on two busy cores.
-- Web answers webhooks all the time; what arrives waits in the broker.
DROP INDEX message_tracking_unfinished, message_tracking_lane, message_tracking_reports, message_tracking_state,
    message_tracking_line;
ALTER TABLE message_tracking
    ADD COLUMN deadline_at timestamptz,
    ADD COLUMN unfinished boolean NOT NULL GENERATED ALWAYS AS
        (state IN ('received', 'sending', 'unknown') OR report IS DISTINCT FROM reported) STORED,
    ADD COLUMN listed_as text NOT NULL GENERATED ALWAYS AS
        (CASE state WHEN 'sending' THEN 'received' ELSE state END) STORED;
-- Room on each new page for the next version of all its rows: they are claimed, and finished, many at a time.
ALTER TABLE message_tracking SET (fillfactor = 50);
-- Calls under way have their rows in message_attempts; from now on those made by calls that ended are all there are.
UPDATE message_tracking m SET deadline_at = a.deadline_at
FROM message_attempts a
WHERE m.state IN ('sending', 'unknown') AND a.message_id = m.id AND a.n = m.attempts;
-- Work that is left: a conversation's lanes, what of it is still to be told, and what the sweep walks through.
CREATE INDEX message_tracking_lane ON message_tracking (conversation_id, direction, sort_time, arrived_at, idx, seq)
    WHERE unfinished;
-- Lists of a line, with and without a state: without one they are put together from those of each.
CREATE INDEX message_tracking_state ON message_tracking (line_id, listed_as, direction, arrived_at, seq);
