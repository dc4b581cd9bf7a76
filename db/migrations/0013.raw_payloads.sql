-- depends: 0012.messages_in_place

-- New rows hold the raw payload deflated (db/mailbox/raw_payloads.py). Those of before keep it where it is.
ALTER TABLE message_tracking ADD COLUMN raw_payload bytea;
-- It is as short as it gets: PostgreSQL does not try once more.
ALTER TABLE message_tracking ALTER COLUMN raw_payload SET STORAGE EXTERNAL;
