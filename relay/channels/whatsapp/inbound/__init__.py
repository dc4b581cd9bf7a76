"""What customers send, read: parse.py is the door."""
