"""The steps that connect a line."""
