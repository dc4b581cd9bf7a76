"""Files at addresses that whoever sends through the API has named: fetched as a stranger's, by both channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from relay.channels import load
from relay.channels.base import Account
from relay.channels.http.client import HttpTransport
from relay.core.errors import CannotCarry
from relay.core.messages import Media
from tests.unit.relay.channels.accounts import GENESYS, WHATSAPP, Tokens
from tests.unit.relay.channels.calls import soon
from tests.unit.relay.channels.servers import Served, answer, half, routes, serving

BOTH = pytest.mark.parametrize(("name", "account"), [("whatsapp", WHATSAPP), ("genesys", GENESYS)])
REAL = ("https://graph.facebook.com", None)


def fetched(url: str, name: str, account: Account, stand_in: str | None) -> bytes:
    graph, genesys = (f"{stand_in}/graph", f"{stand_in}/api") if stand_in else REAL
    transport = HttpTransport(Tokens(), graph, genesys_login_url=genesys, genesys_api_url=genesys)
    media = Media("image", source_url=url, public=True)
    try:
        with load(name, transport).fetch(media, account, soon()) as download:
            return b"".join(download.chunks)
    finally:
        transport.close()


@contextmanager
def refusing(code: str) -> Iterator[None]:
    with pytest.raises(CannotCarry) as caught:
        yield
    assert caught.value.code == code
    assert "media_url" in caught.value.text


@BOTH
def test_no_token_goes_along(name: str, account: Account) -> None:
    """Not even to the provider's own origin, and not after it has asked for one."""
    with serving(routes({"GET /a.jpg": b"file", "GET /.*": (401, b"who?")})) as served:
        assert fetched(f"{served.url}/a.jpg", name, account, served.url) == b"file"
        with refusing("media_unavailable"):
            fetched(f"{served.url}/api/api/v2/users", name, account, served.url)
    assert len(served.asked) == 2
    assert not [one for one in served.asked if "authorization" in one.headers]


@BOTH
def test_without_a_stand_in_nothing_private_is_called(name: str, account: Account) -> None:
    with serving(lambda _, sock, __: answer(sock, b"secret")) as served:
        with refusing("url_refused"):
            fetched(f"{served.url}/a.jpg", name, account, None)
        with refusing("url_refused"):
            fetched(served.url.replace("http:", "https:"), name, account, None)
        with refusing("address_refused"):
            fetched("https://127.0.0.1/a.jpg", name, account, None)
        with refusing("address_refused"):  # a provider reached by way of a proxy inside is no stand-in
            fetched("https://127.0.0.1/a.jpg", name, account, "https://127.0.0.1")
    assert served.connections == 0


@BOTH
def test_a_redirect_leads_nowhere_else(name: str, account: Account) -> None:
    with serving(lambda _, sock, __: answer(sock, b"secret")) as inside:

        def away(served: Served, sock: object, _: object) -> bool:
            return answer(sock, b"", 302, Location=f"{inside.url}/a.jpg")  # type: ignore[arg-type]

        with serving(away) as served, refusing("url_refused"):
            fetched(f"{served.url}/a.jpg", name, account, served.url)
    assert inside.connections == 0


def test_a_file_that_breaks_off_is_one_try() -> None:
    with serving(half(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as served, refusing("bad_answer"):
        fetched(f"{served.url}/a.jpg", "genesys", GENESYS, served.url)
    assert served.connections == 1
