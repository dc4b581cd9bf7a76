"""Pages of messages, conversations, files and dead letters."""
