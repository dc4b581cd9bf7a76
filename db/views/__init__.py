"""What pages and the API show. Nothing on a message's path reads here."""
