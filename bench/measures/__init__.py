"""One module per measure; each says what its figures mean."""
