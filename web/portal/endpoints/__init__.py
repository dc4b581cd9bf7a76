"""Pages of tenants' endpoints."""
