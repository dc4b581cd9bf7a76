"""`wait_until(predicate, deadline, message)`: how a test waits. The same one that the sandbox's stack uses."""

from sandbox.stack.waiting import DeadlinePassed, wait_until

__all__ = ["DeadlinePassed", "wait_until"]
