"""Files through the transport: streamed both ways, bounded, and only from where they may come."""

import socket
from io import BytesIO

import pytest

from relay.channels.http import client, multipart
from relay.channels.http.client import HttpTransport
from relay.channels.http.files import as_download
from relay.channels.http.origins import TrustedOrigins, own_origins
from tests.unit.relay.channels.calls import SECRET, failed, soon
from tests.unit.relay.channels.servers import Asked, Served, answer, drip, half, routes, serving

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"id": 1}'


def test_a_file_is_uploaded_as_a_stream(transport: HttpTransport) -> None:
    class Counting(BytesIO):
        largest = 0

        def read(self, size: int | None = -1) -> bytes:
            Counting.largest = max(Counting.largest, size or 0)
            return super().read(size)

    content = b"0123456789" * 100_000
    form = multipart.form({"type": "image/png"}, Counting(content), 'a"\r\nb.png', "image/png")
    with serving(lambda _, sock, __: answer(sock, {"id": "9"})) as served:
        given = transport.upload(
            served.url,
            TrustedOrigins(own_origins(served.url)),
            soon(),
            authorization=SECRET,
            content_type=form.content_type,
            body=form.blocks(),
            length=form.length,
        )
    assert given.data == {"id": "9"}
    (asked,) = served.asked
    assert int(asked.headers["content-length"]) == len(asked.body)
    assert b'name="type"\r\n\r\nimage/png\r\n' in asked.body
    assert b'name="file"; filename="a___b.png"\r\nContent-Type: image/png\r\n\r\n' + content in asked.body
    assert Counting.largest <= multipart.BLOCK


def test_a_file_is_downloaded_as_a_stream(transport: HttpTransport) -> None:
    content = b"x" * 3_000_000
    with serving(lambda _, sock, __: answer(sock, content)) as served:
        trust = TrustedOrigins(own_origins(served.url))
        with transport.download(served.url, trust, soon()) as stream:
            blocks = list(stream.blocks)
        assert (stream.status, b"".join(blocks)) == (200, content)
        assert max(map(len, blocks)) <= 65536
        with transport.download(served.url, trust, soon()) as stream:
            next(stream.blocks)
        with transport.download(served.url, trust, soon()) as stream:
            list(stream.blocks)
        assert served.connections == 2


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", b"HTTP/1.1 200 OK\r\nContent-Le", b""]
)
def test_a_file_that_is_cut_short_is_a_retry(transport: HttpTransport, data: bytes) -> None:
    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon()) as stream:
            list(stream.blocks)

    with serving(half(data)) as served:
        assert failed(read).fate == "retry"


def test_a_dripping_file_ends_at_the_deadline(transport: HttpTransport) -> None:
    def dripping(_: Served, sock: socket.socket, __: Asked) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        drip(sock, b"x" * 500)
        return False

    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon(1)) as stream:
            list(stream.blocks)

    with serving(dripping) as served:
        assert failed(read).code == "timeout"


def test_an_endless_file_is_bounded(transport: HttpTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_FILE", 100_000)

    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon()) as stream:
            list(stream.blocks)

    with serving(lambda _, sock, __: answer(sock, b"x" * 200_000)) as served:
        assert failed(read).fate == "retry"


def test_the_readers_own_trouble_is_not_the_providers(transport: HttpTransport) -> None:
    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon()):
            raise OSError("disk full")

    with serving(lambda _, sock, __: answer(sock, b"data")) as served, pytest.raises(OSError, match="disk full"):
        read()


def test_redirects_are_followed_and_the_bearer_stays_at_home(transport: HttpTransport) -> None:
    with serving(lambda _, sock, __: answer(sock, b"file")) as other:
        table = {
            "GET /own": lambda _, sock, __: answer(sock, b"", 302, Location="/next"),
            "GET /next": lambda _, sock, __: answer(sock, b"", 302, Location=other.url + "/far"),
        }
        with serving(routes(table)) as served:
            trust = TrustedOrigins(own_origins(served.url, other.url))
            with transport.download(served.url + "/own", trust, soon(), SECRET) as stream:
                assert b"".join(stream.blocks) == b"file"
            assert [asked.headers.get("authorization") for asked in served.asked] == [SECRET, SECRET]
        assert [asked.headers.get("authorization") for asked in other.asked] == [None]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data",
        "https://127.0.0.1:1/",
        "https://[::1]:1/",
        "https://localhost:1/",
        "file:///etc/passwd",
        "https://user@graph.facebook.com/",
        "gopher://x",
        "//",
    ],
)
def test_redirects_lead_to_no_private_place(transport: HttpTransport, target: str) -> None:
    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon()) as stream:
            list(stream.blocks)

    with serving(lambda _, sock, __: answer(sock, b"", 302, Location=target)) as served:
        assert failed(read).fate == "refused"


def test_endless_redirects_end(transport: HttpTransport) -> None:
    def read() -> None:
        with transport.download(served.url, TrustedOrigins(own_origins(served.url)), soon()):
            pass

    with serving(lambda _, sock, __: answer(sock, b"", 302, Location="/again")) as served:
        assert failed(read).code == "too_many_redirects"
        assert len(served.asked) == client.REDIRECTS + 1


def fetched(transport: HttpTransport, content: bytes, mime_type: str) -> bytes:
    with serving(lambda _, sock, __: answer(sock, content)) as served:
        trust = TrustedOrigins(own_origins(served.url))
        with transport.download(served.url, trust, soon()) as stream:
            return b"".join(as_download(stream, mime_type, None).chunks)


@pytest.mark.parametrize("page", [b"<html><h1>It works!</h1></html>", b"\n<!DOCTYPE html>\n<html>"])
def test_a_page_in_the_place_of_a_picture_is_not_the_picture(transport: HttpTransport, page: bytes) -> None:
    caught = failed(lambda: fetched(transport, page, "image/jpeg"))
    assert (caught.fate, caught.code) == ("retry", "media_unavailable")


@pytest.mark.parametrize("mime_type", ["text/html", "TEXT/plain", "application/octet-stream"])
def test_a_file_that_may_be_a_page_is_one(transport: HttpTransport, mime_type: str) -> None:
    assert fetched(transport, b"<html>ours</html>", mime_type) == b"<html>ours</html>"
    assert fetched(transport, b"\xff\xd8\xff", "image/jpeg") == b"\xff\xd8\xff"
