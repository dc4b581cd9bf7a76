"""What messages cost: a tenant's month, all tenants' month, and rate cards."""
