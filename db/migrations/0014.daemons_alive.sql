-- depends: 0013.raw_payloads

-- A daemon that was killed need not be waited for until its lease is over: PostgreSQL frees its lock at once.
CREATE SEQUENCE daemon_locks AS integer CYCLE;

ALTER TABLE daemons
    ADD COLUMN lock_number integer,      -- of the advisory lock that the session holds over which it renews its lease
    ADD COLUMN renewed_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN found_dead_at timestamptz;  -- when another daemon found that lock free, and ended its lease
