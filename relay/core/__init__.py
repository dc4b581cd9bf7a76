"""Pure decisions and values: no I/O, no clock of its own, nothing of ours imported from outside."""
