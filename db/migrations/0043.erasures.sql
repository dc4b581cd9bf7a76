-- depends: 0041.consent
-- half: expand

-- Daemons read those since they last looked.
CREATE INDEX tombstones_erased ON tombstones (erased_at);

-- What endpoints were told of one conversation, whether they took it or not: an erasure deletes it.
CREATE INDEX endpoint_events_of_lane ON endpoint_events (lane);
