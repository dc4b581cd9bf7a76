"""Templates as the provider has approved them: what they look like, what has to be filled in, what became of them."""
