"""From a broker's delivery to rows in PostgreSQL."""
