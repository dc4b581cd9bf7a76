"""Pages of people: log-in, second factor, keys, audit log."""
