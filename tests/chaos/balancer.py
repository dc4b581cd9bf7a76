"""nginx before the webs, as an installation with two of them has it: who does not answer is left out for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from tests.waiting import wait_until

CONFIGURATION = """
daemon off; master_process on; pid {folder}/nginx.pid; error_log {folder}/error.log warn; {user}
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
  upstream webs {{
    {servers}
    keepalive 64;
    keepalive_timeout 10s;
  }}
  server {{
    listen {host}:{port};
    client_max_body_size 4m;
    location / {{
      proxy_pass http://webs;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      # A webhook that was sent is not sent to another web: whether it was taken is not known. The provider repeats it.
      proxy_next_upstream error timeout;
      proxy_connect_timeout 2s;
      proxy_read_timeout 30s;
    }}
  }}
}}
"""


class Balancer:
    def __init__(self, webs: Sequence[int], folder: Path) -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        servers = "\n    ".join(f"server {HOST}:{port} max_fails=1 fail_timeout=2s;" for port in webs)
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        configuration = CONFIGURATION.format(folder=folder, user=user, host=HOST, port=self.port, servers=servers)
        (folder / "nginx.conf").write_text(configuration)
        command = ["nginx", "-p", str(folder), "-e", f"{folder}/start.log", "-c", f"{folder}/nginx.conf"]
        self.child = Child("nginx", command, folder / "nginx.log", {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, folder)

    def start(self) -> None:
        self.child.start()

    def wait_ready(self) -> None:
        wait_until(lambda: listens(self.port), message=f"nginx to listen; its log:\n{self.child.tail()}")

    def stop(self) -> None:
        self.child.stop()
