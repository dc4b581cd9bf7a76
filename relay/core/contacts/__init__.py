"""Who is who: phone numbers and user ids as the providers write them. Pure."""
