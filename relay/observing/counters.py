"""What is counted of traces, whether they are asked for or not."""

from __future__ import annotations

from prometheus_client import Counter

spans = Counter("relay_trace_spans_total", "Spans of traces by what became of them", ["outcome"])
for _outcome in ("sent", "dropped", "refused"):  # shown from the beginning, as 0
    spans.labels(_outcome)
