"""A number's account at Meta: what it may do, and how it is connected."""
