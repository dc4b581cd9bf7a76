"""What is counted of traces and error reports, whether either is asked for or not."""

from __future__ import annotations

from prometheus_client import Counter

spans = Counter("relay_trace_spans_total", "Spans of traces by what became of them", ["outcome"])
error_reports = Counter("relay_error_reports_total", "Reports of unexpected errors by what became of them", ["outcome"])
for _outcome in ("sent", "dropped", "refused"):  # shown from the beginning, as 0
    spans.labels(_outcome)
    error_reports.labels(_outcome)
