"""The actors of the daemon. Commands go down by `tell`, facts come up by `tell`; nobody waits upward."""
