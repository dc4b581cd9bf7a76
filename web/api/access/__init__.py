"""The API of users, keys and the audit log."""
