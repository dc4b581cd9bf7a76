"""Contacts and their conversations: names, addresses, windows."""
