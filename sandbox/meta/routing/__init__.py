"""Conversation Routing: a second responder on the number, who owns a thread, and who hears of what."""
