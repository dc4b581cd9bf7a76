"""Telling tenants' own systems what happens: docs/events.md."""
