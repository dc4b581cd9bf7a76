"""The same hops without logic: what this machine can carry at most with these servers and libraries."""
