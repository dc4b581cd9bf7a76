"""What tells people outside how the relay does, beside its metrics: traces, and reports of its own errors. Extras."""
