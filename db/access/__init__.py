"""Who may do what: people, keys, sessions, guesses, the audit log's chain."""
