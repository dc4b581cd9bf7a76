"""A real nginx with the configuration that the repository ships: its name, ports and certificate are the test's own."""

from __future__ import annotations

import datetime
import socket
import ssl
from pathlib import Path
from typing import Any, Self

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from tests.waiting import PATIENCE, wait_until

SHIPPED = Path(__file__).parents[2] / "conf" / "nginx.conf"
# As Debian's own file surrounds what is in conf.d, with everything it writes in the test's folder.
AROUND = """
daemon off; master_process on; pid {folder}/nginx.pid; error_log {folder}/error.log info; {user}
events {{ worker_connections 1024; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; access_log off;
  include {folder}/relay.conf;
}}
"""


class Proxy:
    """nginx before whatever listens on `upstream` and on `others`, for as long as the context lasts."""

    def __init__(self, upstream: int, folder: Path, *others: int) -> None:
        self.port, self.plain_port = free_port(), free_port()
        self._folder = folder
        certificate(folder)
        ports = (upstream, *others)
        _replaced(folder / "relay.conf", {
            "server 127.0.0.1:8000 max_fails=0;": "".join(f"server {HOST}:{one} max_fails=0;" for one in ports),
            "listen 80;": f"listen {HOST}:{self.plain_port};",
            "listen 443 ssl;": f"listen {HOST}:{self.port} ssl;",
            "/etc/ssl/relay/": f"{folder}/",
        })  # fmt: skip
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
        self._command = ["nginx", "-p", str(folder), "-e", f"{folder}/start.log", "-c", f"{folder}/nginx.conf"]
        self._child = Child(
            "nginx", self._command, folder / "nginx.log", {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, folder
        )

    def __enter__(self) -> Self:
        self._child.start()
        wait_until(lambda: listens(self.port), message=f"nginx to listen; its log:\n{self._child.tail()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()

    @property
    def authority(self) -> str:
        """The file by which its certificate is verified."""
        return str(self._folder / "fullchain.pem")

    def connection(self) -> ssl.SSLSocket:
        """A connection that speaks TLS and has said nothing yet."""
        context = ssl.create_default_context(cafile=self.authority)
        plain = socket.create_connection((HOST, self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname="localhost")

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url(path), verify=self.authority, timeout=PATIENCE, **more)

    def post(self, path: str, body: bytes, **more: Any) -> requests.Response:
        return requests.post(self.url(path), data=body, verify=self.authority, timeout=PATIENCE, **more)

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"


def _replaced(path: Path, words: dict[str, str]) -> None:
    """The shipped file with the test's own words. One that is no longer in it fails the test."""
    text = SHIPPED.read_text()
    for word, other in words.items():
        assert word in text, f"conf/nginx.conf holds no {word!r}"
        text = text.replace(word, other)
    path.write_text(text)


def certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*private))
