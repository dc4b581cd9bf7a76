"""Tenants' endpoints, and what they are still to be told."""
