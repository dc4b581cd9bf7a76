"""What web counts. Labels hold no tenant, person or secret."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from prometheus_client import Counter, Histogram

webhooks = Counter("web_webhooks_total", "Webhook POSTs by their answer", ["channel", "answer"])
updates = Counter("web_webhook_updates_total", "Updates of webhooks by what became of them", ["channel", "what"])
refusals = Counter("web_refusals_total", "Log-ins, keys and requests that were refused", ["action"])
ends = Counter("web_conversation_ends_total", "Ends of conversations at Genesys that were told and not known before")
archive_refused = Counter("web_archive_refused_total", "Raw webhooks that the archive's queue did not take")
webhook_seconds = Histogram(
    "web_webhook_seconds",
    "From the first byte of a webhook to its answer",
    ["channel"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
loop_lag = Histogram(
    "web_loop_lag_seconds",
    "By how much turns on a worker's event loop come late",
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
requests = Counter("web_requests_total", "Requests by status", ["method", "status"])

for _channel in ("whatsapp", "genesys"):
    for _what in ("accepted", "unknown", "foreign", "undecided"):
        updates.labels(_channel, _what)  # shown from the beginning, as 0

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def method_label(method: str) -> str:
    """The method, or one word for all that somebody may make up: each label's value lives as long as the process."""
    return method if method in METHODS else "other"


M = TypeVar("M", Counter, Histogram)


@lru_cache(maxsize=1_024)
def child(metric: M, *labels: str) -> M:
    """The metric's series of these labels, without the look-up under a lock that `labels` is."""
    return metric.labels(*labels)
