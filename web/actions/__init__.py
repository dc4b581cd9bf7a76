"""What API and portal both do."""
