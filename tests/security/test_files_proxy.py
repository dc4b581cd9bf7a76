"""The proxies of deploy/compose.yaml in a real nginx: signed links lead to their file, and nothing else does."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from demo.stack import S3Server
from demo.stack.child import Child
from demo.stack.ports import HOST, free_port, listens
from relay.stores.objects import MEDIA_INBOUND, ObjectStore
from tests.security.proxies import AROUND, SHIPPED, certificate
from tests.waiting import PATIENCE, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
KEY = "tenant/2026/11/30/Grüße & mehr.html"


@dataclass
class Files:
    store: ObjectStore
    url: str
    authority: str

    def asked(self, url: str, method: str = "GET") -> requests.Response:
        return requests.request(method, url, verify=self.authority, timeout=PATIENCE, data=b"x" * (method == "PUT"))


@pytest.fixture(scope="module")
def files(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    certificate(folder)
    for name in ("fullchain.pem", "privkey.pem"):
        shutil.copy(folder / name, folder / f"files-{name}")
    _made(folder, {"objects:8333": s3.endpoint, "web:8000": f"{HOST}:1"}, port)
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user).replace("/relay.conf", "/conf.d/*.conf"))
    path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    command = ["nginx", "-p", str(folder), "-e", f"{folder}/start.log", "-c", f"{folder}/nginx.conf"]
    child = Child("nginx", command, folder / "nginx.log", path, folder)
    child.start()
    wait_until(lambda: listens(port), message=f"nginx to listen; its log:\n{child.tail()}")
    url = f"https://localhost:{port}"
    store = ObjectStore(s3.endpoint, s3.access_key, s3.secret_key, False, url)
    store.ensure_buckets()
    store.put(MEDIA_INBOUND, KEY, io.BytesIO(b"<b>x</b>"), 8, "text/html", "Grüße.html")
    yield Files(store, url, str(folder / "fullchain.pem"))
    store.close()
    child.stop()


def _made(folder: Path, words: dict[str, str], port: int) -> None:
    """What the image's script makes, in a folder of the test's own, with its names and its ports."""
    (folder / "conf.d").mkdir()
    shutil.copy(SHIPPED, folder / "nginx.conf")
    shutil.copy(DEPLOY / "nginx" / "files.conf", folder)
    script = (DEPLOY / "nginx" / "10-relay.sh").read_text()
    script = script.replace("/etc/nginx/", f"{folder}/").replace("/relay/", f"{folder}/")
    names = {"RELAY_HOST": "relay.test", "FILES_HOST": "localhost", "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-c", script], env=names, check=True)
    words |= {"listen 443 ssl": f"listen {HOST}:{port} ssl", "listen 80": f"listen {HOST}:{free_port()}"}
    for path in (folder / "conf.d").iterdir():
        text = path.read_text().replace("/etc/ssl/relay", str(folder))
        assert "example.com" not in text
        for word, other in words.items():
            text = text.replace(word, other)
        path.write_text(text)


def test_a_signed_link_leads_to_its_file_as_a_download(files: Files) -> None:
    got = files.asked(files.store.presign(MEDIA_INBOUND, KEY, 60, "Grüße.html", "text/html"))
    assert (got.status_code, got.content) == (200, b"<b>x</b>")
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"


def test_without_its_signature_nothing_is_shown_or_listed(files: Files) -> None:
    for path in (f"/{MEDIA_INBOUND}/{KEY}", f"/{MEDIA_INBOUND}", "/", f"/{MEDIA_INBOUND}?list-type=2"):
        assert files.asked(files.url + path).status_code == 403, path


def test_a_changed_link_leads_nowhere(files: Files) -> None:
    link = files.store.presign(MEDIA_INBOUND, KEY, 60)
    assert files.asked(link.replace(".html", ".htm")).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_nothing_is_written_from_outside(files: Files, method: str) -> None:
    assert files.asked(files.store.presign(MEDIA_INBOUND, KEY, 60), method).status_code == 403
    assert files.store.exists(MEDIA_INBOUND, KEY)
