"""What a conversation decides: which message is next, when it may go, what it says instead. Pure."""
