"""Stands in for Meta and Genesys in development, demo and tests. Not part of production."""
