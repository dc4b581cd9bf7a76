"""`relay export-tenant`: all that is kept of a tenant, in parts, into a folder."""
