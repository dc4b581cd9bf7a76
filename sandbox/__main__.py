"""`python -m sandbox`: serves until it is told to stop."""

from gevent import monkey

monkey.patch_all()

import signal
import sys

import gevent

from sandbox.app import create_app
from sandbox.server import listen_address, public_url, server


def main() -> int:
    host, port = listen_address()
    url = public_url(host, port)
    http = server(create_app(url), host, port)
    try:
        http.start()
    except OSError as error:
        print(f"sandbox: cannot listen on {host}:{port}: {error}", file=sys.stderr)
        return 1
    print(f"sandbox: {url}/ shows the phone and the desk", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, http.close)
    http.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
