"""What leaves the relay as files for people: tables that a spreadsheet opens, and archives."""
