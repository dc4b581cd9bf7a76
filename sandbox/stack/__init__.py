"""The embedded services of demo, smoke and tests: PostgreSQL, Redis and an S3 server, all from wheels."""

from sandbox.stack.child import Child, ChildDied
from sandbox.stack.objects import ObjectStore
from sandbox.stack.postgres import Postgres
from sandbox.stack.redis import Redis
from sandbox.stack.services import embedded_services, running

__all__ = ["Child", "ChildDied", "ObjectStore", "Postgres", "Redis", "embedded_services", "running"]
