"""Webhooks that the relay itself sends, to addresses that tenants and the operator give. Their form is that of
Standard Webhooks [standardwebhooks.com, specification 1.0.0]."""
