"""Tenants, their credentials and lines, and what is kept until a line is known."""
