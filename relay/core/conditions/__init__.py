"""What is wrong with a tenant's lines for longer than a moment: when it begins, when it is over, and in which words."""
