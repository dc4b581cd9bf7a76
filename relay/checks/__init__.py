"""What the relay finds out about a tenant's set-up: checks, proof of ownership, trial messages."""
