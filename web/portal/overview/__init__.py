"""The dashboards of tenants and of the operator."""
