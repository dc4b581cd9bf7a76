"""Pages of lines, their settings and checks, and of numbers that are nobody's."""
