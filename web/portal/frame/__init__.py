"""What every page has: shell, filters, words, time zone, errors."""
