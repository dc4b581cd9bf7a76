"""The long-running process: composition, start, stop, health."""
