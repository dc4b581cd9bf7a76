"""The API of tenants, lines, credentials and checks."""
