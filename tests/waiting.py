"""`wait_until(predicate, message=...)`: how a test waits, for `PATIENCE` seconds at most. The sandbox's stack's own."""

from demo.stack.waiting import PATIENCE, DeadlinePassed, wait_until

__all__ = ["PATIENCE", "DeadlinePassed", "wait_until"]
