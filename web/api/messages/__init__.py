"""The API of messages, conversations, dead letters and sending."""
