"""A conversation's messages: taken in, claimed, settled, told, replayed."""
