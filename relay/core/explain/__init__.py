"""Why something waits or failed, in words. Pure."""
