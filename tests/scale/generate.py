"""Many conversations and messages, made inside PostgreSQL: ids, owners and states follow from their number.

Ten tenants, the first with 60 % of all and three lines. Thirty days, the newest a moment ago; one line in trouble
with messages waiting. Indexes are made afterwards, as a restored database has them made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from db.pool import Pool

TENANTS = 10
LINES_EACH = 3
TABLES = ("conversation_mappings", "contact_aliases", "genesys_conversations", "message_tracking", "message_attempts",
          "message_events")  # fmt: skip

FUNCTIONS = """
CREATE FUNCTION pg_temp.numbered(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN ('01900000-' || kind || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid;
-- Of ten conversations the first tenant has six, the next three one each, the others share the last.
CREATE FUNCTION pg_temp.tenant_of(n int) RETURNS int LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN n % 10 < 6 THEN 0 WHEN n % 10 < 9 THEN n % 10 - 5 ELSE 4 + (n / 10) % 6 END;
CREATE FUNCTION pg_temp.line_of(n int) RETURNS int LANGUAGE sql IMMUTABLE
    RETURN pg_temp.tenant_of(n) * 3 + CASE pg_temp.tenant_of(n)
        WHEN 0 THEN (ARRAY[0, 0, 0, 0, 0, 0, 0, 1, 1, 2])[(n / 10) % 10 + 1] WHEN 1 THEN (n / 10) % 2 ELSE 0 END;
"""

OWNERS = """
INSERT INTO tenants (id, name, webhook_key, status)
SELECT pg_temp.numbered('aaaa', t), 'Tenant ' || t, md5('tenant' || t), CASE t WHEN 9 THEN 'paused' ELSE 'active' END
FROM generate_series(0, 9) t;
INSERT INTO lines (id, tenant_id, phone_number_id, integration_id, webhook_key, status)
SELECT pg_temp.numbered('bbbb', l), pg_temp.numbered('aaaa', l / 3), (300000000000000 + l)::text,
       pg_temp.numbered('cccc', l)::text, md5('line' || l), 'active'
FROM generate_series(0, 29) l;
INSERT INTO tenant_credentials (tenant_id, type, sealed, shown, health, health_at)
SELECT pg_temp.numbered('aaaa', t), type, 'none', json_build_object('client_id', md5('client' || t)), 'ok', now()
FROM generate_series(0, 9) t, unnest(ARRAY['whatsapp', 'genesys']) type;
INSERT INTO line_notices (tenant_id, line_id, channel, kind, reason, payload, digest, at)
SELECT pg_temp.numbered('aaaa', l / 3), pg_temp.numbered('bbbb', l), 'whatsapp', 'account_update', 'news', '{}',
       decode(md5(n::text), 'hex'), now() - interval '29 days' * (1 - n / 1000.0)
FROM generate_series(1, 1000) n, generate_series(0, 29) l;
INSERT INTO message_prices (line_id, tenant_id, month, country, category, type, subtype, total)
SELECT pg_temp.numbered('bbbb', l), pg_temp.numbered('aaaa', l / 3),
       (date_trunc('month', now() AT TIME ZONE 'UTC') - m * interval '1 month')::date, country, category, type, '', 100
FROM generate_series(0, 29) l, generate_series(0, 24) m,
     unnest(ARRAY['AT', 'CH', 'DE', 'ES', 'FR', 'IT', 'NL', 'PL']) country,
     (VALUES ('service', 'regular'), ('service', 'free_customer_service'), ('utility', 'regular')) k (category, type);
"""

CONVERSATIONS = """
INSERT INTO conversation_mappings (id, tenant_id, line_id, genesys_address, shard, wa_id, bsuid, name,
                                   genesys_conversation_id, created_at, last_at)
SELECT pg_temp.numbered('dddd', n), pg_temp.numbered('aaaa', pg_temp.tenant_of(n)),
       pg_temp.numbered('bbbb', pg_temp.line_of(n)), number, n %% 16, number,
       CASE WHEN n %% 4 = 0 THEN 'DE.' || (13491208655300000000 + n) END,
       (ARRAY['Anna', 'Ben', 'Carla', 'Dmitri', 'Éloïse', 'Fatima', 'Georg', 'Hana', 'Igor', 'Jürgen'])[1 + n %% 10]
         || ' ' || (ARRAY['Meyer', 'Okafor', 'Schmidt', 'Nguyen', 'Rossi', 'Da Silva', 'Öztürk'])[1 + n %% 7]
         || to_hex(n / 70),
       pg_temp.numbered('eeee', n)::text, now() - interval '31 days',
       now() - interval '30 days' * pow(random(), 1.5)
FROM (SELECT n, (491500000000 + (n::bigint * 7919) %% 99999989)::text AS number
      FROM generate_series(0, %(conversations)s - 1) n) g;
INSERT INTO contact_aliases (line_id, alias, conversation_id)
SELECT line_id, wa_id, id FROM conversation_mappings;
INSERT INTO genesys_conversations (genesys_conversation_id, conversation_id)
SELECT genesys_conversation_id, id FROM conversation_mappings;
"""

MESSAGES = """
INSERT INTO message_tracking (id, tenant_id, line_id, conversation_id, shard, direction, source_id, type, content,
    payload, media_type, sort_time, arrived_at, idx, provider_time, state, reason_code, reason, attempts, claimed_at,
    provider_id, sent_at, delivered_at, read_at, failed_at, report, reported, created_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid,
       pg_temp.numbered('aaaa', pg_temp.tenant_of(n)), pg_temp.numbered('bbbb', pg_temp.line_of(n)),
       pg_temp.numbered('dddd', n), n %% 16, direction, 'source.' || i, CASE WHEN file THEN 'image' ELSE 'text' END,
       jsonb_build_object('source_id', 'source.' || i, 'type', 'text', 'text', repeat('Lorem ipsum ' || i || ' ', 4)),
       json_build_object('id', 'source.' || i, 'type', 'text', 'text', json_build_object('body', repeat('Lorem ', 20))),
       CASE WHEN file THEN 'image' END, at - interval '0.4 s', at, 0, at - interval '0.4 s', state,
       CASE WHEN state IN ('failed', 'dead', 'unknown') THEN '131026' END,
       CASE WHEN state IN ('failed', 'dead', 'unknown') THEN 'the message cannot be delivered' END, attempts,
       CASE WHEN attempts > 0 THEN at + interval '0.3 s' END,
       CASE WHEN done THEN 'provider.' || i END, CASE WHEN done THEN at + took END,
       CASE WHEN state IN ('delivered', 'read') THEN at + took * 3 END,
       CASE WHEN state = 'read' THEN at + took * 60 END, CASE WHEN state IN ('failed', 'dead') THEN at + took END,
       report, report, at + interval '0.05 s'
FROM (SELECT *, state IN ('sent', 'delivered', 'read') AS done,
             CASE WHEN state IN ('received', 'ignored', 'record') THEN 0 WHEN i %% 33 = 0 THEN 2 ELSE 1 END AS attempts,
             CASE WHEN direction = 'outbound' AND state IN ('delivered', 'read') THEN 'delivered'
                  WHEN direction = 'outbound' AND state IN ('failed', 'dead') THEN 'failed' END AS report
      FROM (SELECT i, n, at, direction, i %% 10 = 0 AS file, interval '1 s' * (0.4 + r * r * 3) AS took,
                   CASE WHEN at > now() - interval '12 hours' AND direction = 'inbound' AND pg_temp.line_of(n) = 1
                          THEN 'received'
                        WHEN at > now() - interval '30 s' THEN 'received'
                        WHEN r > 0.9999 AND at > now() - interval '1 day' THEN 'unknown'
                        WHEN r > 0.995 THEN 'dead' WHEN r > 0.985 THEN 'failed' WHEN r > 0.98 THEN 'ignored'
                        WHEN direction = 'inbound' OR r > 0.94 THEN 'sent'
                        WHEN r > 0.6 THEN 'delivered' ELSE 'read' END AS state
            FROM (SELECT i, (pow(random(), 1.6) * %(conversations)s)::int %% %(conversations)s AS n,
                         now() - interval '30 days' * (1 - i::float / %(messages)s) AS at,
                         CASE WHEN random() < 0.55 THEN 'inbound' ELSE 'outbound' END AS direction, random() AS r
                  FROM generate_series(1, %(messages)s) i) numbers) stated) complete;
INSERT INTO message_attempts (message_id, n, line_id, epoch, started_at, deadline_at, finished_at, outcome, provider_id,
                              http_status, code)
SELECT id, n, line_id, 1, claimed_at, claimed_at + interval '10 s', coalesce(sent_at, failed_at),
       CASE WHEN n < attempts THEN 'retry' WHEN sent_at IS NULL THEN 'refused' ELSE 'sent' END,
       CASE WHEN n = attempts THEN provider_id END, CASE WHEN n < attempts THEN 500 ELSE 200 END, reason_code
FROM message_tracking, generate_series(1, attempts) n WHERE attempts > 0;
INSERT INTO message_events (message_id, at, event, detail)
SELECT id, coalesce(delivered_at, failed_at), CASE WHEN reported = 'failed' THEN state ELSE 'reported' END, reported
FROM message_tracking WHERE reported IS NOT NULL;
"""


def tenant_id(number: int) -> str:
    return f"01900000-aaaa-7000-8000-{number:012x}"


def line_id(number: int) -> str:
    return f"01900000-bbbb-7000-8000-{number:012x}"


def conversation_id(number: int) -> str:
    return f"01900000-dddd-7000-8000-{number:012x}"


def fill(url: str, conversations: int, messages: int) -> None:
    """Into an empty, migrated database; ends with ANALYZE."""
    with Pool(url, size=1, statement_seconds=900) as pool, pool.autocommit() as cursor:
        # The rows are consistent as they are made: foreign keys need not be looked up one by one.
        cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        cursor.execute("SELECT setseed(0.42)")
        cursor.execute(FUNCTIONS + OWNERS)
        with indexes_afterwards(cursor):
            cursor.execute(CONVERSATIONS + MESSAGES, {"conversations": conversations, "messages": messages})
        cursor.execute("VACUUM (ANALYZE)")


@contextmanager
def indexes_afterwards(cursor: Any) -> Iterator[None]:
    """Of the messages' tables: dropped before, made anew after."""
    cursor.execute(
        """SELECT format('DROP INDEX %%I', c.relname), pg_get_indexdef(c.oid)
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           WHERE i.indrelid = ANY(%s::regclass[])
            AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)""",
        (list(TABLES),),
    )
    found = cursor.fetchall()
    for drop, _ in found:
        cursor.execute(drop)
    yield
    for _, create in found:
        cursor.execute(create)
