"""What the daemon counts. Labels hold no tenant, person or secret."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

actor_failures = Counter("relay_actor_failures_total", "Handlers that raised", ["actor"])
actor_waits = Counter("relay_actor_waits_total", "Handlers that a store in trouble interrupted", ["actor"])
actors_stuck = Gauge("relay_actors_stuck", "Actors that have not ended a command for far too long", ["actor"])
loop_blocked = Counter("relay_loop_blocked_total", "Times that the event loop stood still for a second or longer")
messages = Counter("relay_messages_total", "Messages by what became of them", ["direction", "state"])
for _direction in ("inbound", "outbound"):
    messages.labels(_direction, "dead")  # shown from the beginning, as 0: an alarm sees the first one
attempts = Counter("relay_attempts_total", "Provider calls by their end", ["outcome"])
seconds = Histogram(
    "relay_message_seconds",
    "From arrival at the relay to the provider's acceptance",
    ["direction"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
intake = Counter("relay_intake_total", "Events taken in from the broker", ["what"])
receipts_dropped = Counter("relay_receipts_dropped_total", "Parked receipts that never matched")
caught_up = Counter("relay_caught_up_messages_total", "Agents' messages that were asked for at Genesys")
catch_ups = Counter("relay_catch_ups_total", "Lines that were caught up with, by outcome", ["outcome"])
catch_ups.labels("failed")
repeats_spared = Counter(
    "relay_repeats_spared_total", "Messages whose answer was lost, and that were found at the provider before a repeat"
)
dead_letters = Counter("relay_dead_letters_total", "Updates that could not be read")
retention = Counter("relay_retention_deleted_total", "What was deleted because its time was over, by kind", ["kind"])
shards_owned = Gauge("relay_shards_owned", "Shards this daemon owns")
lease_left = Gauge("relay_lease_seconds_left", "How long this daemon may still send without a word from PostgreSQL")
conversations = Gauge("relay_conversations", "Conversation actors in memory")
journal_groups = Counter("relay_journal_groups_total", "Group commits of the journal")
journal_losses = Counter(
    "relay_journal_losses_total", "Ends of calls that PostgreSQL will never take as they were told"
)
journal_writes = Counter("relay_journal_writes_total", "Claims and outcomes written")
endpoint_posts = Counter("relay_endpoint_posts_total", "Events posted to tenants' endpoints, by outcome", ["outcome"])
breakers = Gauge("relay_breakers", "Sides of lines by the state of their circuit breaker", ["channel", "state"])
calls = Counter("relay_calls_total", "Provider calls", ["channel", "call", "outcome", "cause"])
call_seconds = Histogram(
    "relay_call_seconds",
    "From before a provider call to its end",
    ["channel", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
intake_seconds = Histogram(
    "relay_intake_seconds",
    "From an update's arrival at web to its commit in a daemon",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
intake_waiting = Gauge("relay_intake_waiting_messages", "Brought by the broker and not committed")
intake_oldest = Gauge("relay_intake_oldest_seconds", "How long ago the oldest of them arrived at web")
loop_lag = Histogram(
    "relay_loop_lag_seconds",
    "By how much turns on the event loop come late",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
ends_heard = Counter("relay_conversation_ends_total", "Ends of conversations that were heard at Genesys and not known")
archived = Counter("relay_archived_objects_total", "Raw webhooks, or packs of them, written to the object store")
heard_losses = Counter(
    "relay_heard_losses_total", "Events that were heard at Genesys and could not be written down in time"
)
archive_withheld = Counter(
    "relay_archive_withheld_total", "Raw webhooks of which nothing was stored, since they name somebody who was erased"
)
archive_losses = Counter("relay_archive_losses_total", "Raw webhooks that the object store will never take")
archive_failures = Counter("relay_archive_failures_total", "Writes of raw webhooks that the object store did not take")
