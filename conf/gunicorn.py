"""Gunicorn's configuration for web (`python -m gunicorn -c conf/gunicorn.py web.wsgi:app`).

Gunicorn loads this file itself; the settings are checked once, in the master, so that a wrong
one stops the start with a single message and not with a worker that dies again and again.
"""

import os
import shutil
import sys
import tempfile
from typing import Any

from conf.loading import SettingsError, load_settings

# gevent, with deadlines for slow requests and a bound of connections per address.
worker_class = "web.server.Worker"
workers = int(os.environ.get("WEB_WORKERS") or 2)
worker_connections = 1000
bind = f"{os.environ.get('WEB_HOST') or '0.0.0.0'}:{os.environ.get('WEB_PORT') or 8000}"

# A worker that answers no heartbeat for this long is replaced; a request itself is bounded by web.server.
timeout = 60
# What is being answered when the stop comes may end: the longest is a webhook that retries its publish for 8 s.
graceful_timeout = 20
keepalive = 15

# Providers send short request lines and few headers; the body's limits: web.app, web.webhooks.budget.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The application logs its requests itself, with tenant and request id.
accesslog = None
errorlog = "-"

# Two installations of one user would fight over the socket, and nobody here speaks to it.
control_socket_disable = True


METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server: Any) -> None:
    """Refuse to start with settings that no worker could use; give the workers a common folder for their metrics."""
    try:
        load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    # SIGUSR2 starts a second web on the same port. By the file of gunicorn's own that we run as a module, as it would
    # do by itself, Python takes gunicorn's modules for those of the standard library.
    server.START_CTX["args"] = [sys.executable, "-m", "gunicorn", *sys.argv[1:]]
    # Before the first fork, and before anything imports prometheus_client, which looks for it once.
    os.environ[METRICS_FOLDER] = tempfile.mkdtemp(prefix="relay-web-metrics-")


def child_exit(_server: Any, worker: Any) -> None:
    """A worker that is gone no longer counts in gauges."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    shutil.rmtree(os.environ[METRICS_FOLDER])
