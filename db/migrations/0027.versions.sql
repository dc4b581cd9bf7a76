-- depends: 0025.listeners
-- half: expand

-- Which version each process is that serves this installation, and which release came before its own. A daemon without
-- is 0.2.0 or older.
ALTER TABLE daemons ADD COLUMN version text, ADD COLUMN previous text;

-- The workers of web, each as long as it is heard of.
CREATE TABLE webs (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    previous text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
