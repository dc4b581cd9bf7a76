"""`relay apply`: a tenant as a file says it, compared with what it is, and made so."""
