"""Which daemon owns which shard, and how they hear of work."""
