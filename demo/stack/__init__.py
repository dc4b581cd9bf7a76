"""The embedded services of demo, smoke and tests: PostgreSQL, Redis and an S3 server, all from wheels."""

from demo.stack.child import Child, ChildDied
from demo.stack.objects import S3Server
from demo.stack.postgres import Postgres
from demo.stack.redis import Redis
from demo.stack.services import embedded_services, running

__all__ = ["Child", "ChildDied", "Postgres", "Redis", "S3Server", "embedded_services", "running"]
