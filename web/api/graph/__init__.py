"""Meta's own address for sending, answered by the relay: client libraries only change where they send to."""
