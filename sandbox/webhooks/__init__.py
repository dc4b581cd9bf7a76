"""Webhooks from the providers to the relay: reordering, duplicates, batches, delivery and retries."""
