"""What is wrong for longer than a moment, and who is told of it."""
