"""What Meta and Genesys call. A webhook is answered 200 once the broker has confirmed all of it."""
