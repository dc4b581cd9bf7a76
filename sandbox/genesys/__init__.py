"""Genesys Cloud: login, Open Messaging, and the desk of its agents."""
