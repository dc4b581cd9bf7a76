"""What is kept outside PostgreSQL: files in the object store; look-ups, tokens and limits in Redis."""
