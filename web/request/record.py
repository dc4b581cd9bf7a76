"""What is told of every request: one log line and the counts, and nothing that is somebody's."""

from __future__ import annotations

import structlog

from web import metrics

log = structlog.get_logger(__name__)

QUIET = ("/health/", "/metrics")
"""Asked every few seconds by machines; they would hide everything else in the log."""


def answered(method: str, rule: str, status: int, seconds: float, principal: str | None = None) -> None:
    """`rule`, not the path: addresses of webhooks hold keys that must not be guessed. Nor query nor body: they hold
    keys, numbers and what people wrote."""
    metrics.child(metrics.requests, metrics.method_label(method), str(status)).inc()
    if rule.startswith(QUIET):
        return
    log.info("request", method=method, rule=rule, status=status, seconds=round(seconds, 4), principal=principal)
    if rule.startswith("/webhook/") and method == "POST":
        channel = "genesys" if rule.startswith("/webhook/genesys") else "whatsapp"
        metrics.child(metrics.webhook_seconds, channel).observe(seconds)
