"""Where the relay connects to, and where it shows a token."""

import pytest

from relay.channels.http.origins import TrustedOrigins, is_public, origin_of, own_origins
from relay.channels.whatsapp.client import MEDIA_HOSTS
from relay.core.errors import SendError

META = TrustedOrigins(own_origins("http://127.0.0.1:8090/graph"), MEDIA_HOSTS)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2a00:1450:4001:81b::200e", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("nonsense", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://graph.facebook.com/v25.0/1", True),
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://scontent.xx.fbcdn.net/a", True),
        ("https://mmg.whatsapp.net/a", True),
        ("http://127.0.0.1:8090/anything", True),
        ("https://GRAPH.facebook.com./x", True),
        ("https://evilfbcdn.net/a", False),
        ("https://graph.facebook.com.evil.org/", False),
        ("https://fbcdn.net/", False),
    ],
)
def test_hosts_that_see_the_token(url: str, shown: bool) -> None:
    assert META.takes_bearer(META.admit(url)) is shown


@pytest.mark.parametrize(
    "url",
    [
        "http://graph.facebook.com/",
        "http://127.0.0.1:8091/",
        "http://localhost:8090/",
        "https://127.0.0.1:8090/",
        "https://example.org:8443/",
        "https://example.org:0/",
        "ftp://graph.facebook.com/",
        "https:///x",
        "https://a b/",
        "https://a/\r\nX: 1",
        "https://x:99999/",
        "https://" + "a" * 300,
        "",
        None,
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(SendError) as caught:
        META.admit(url)
    assert caught.value.fate == "refused"


def test_names_are_compared_in_their_wire_form() -> None:
    assert origin_of("https://BÜCHER.example/") == ("https", "xn--bcher-kva.example", 443)


def test_the_address_that_is_connected_to_is_checked() -> None:
    """Not the one a look-up beforehand gave: DNS may answer otherwise a moment later."""
    stranger = origin_of("https://rebound.example/")
    assert not META.may_connect(stranger, "127.0.0.1")
    assert META.may_connect(stranger, "8.8.8.8")
    assert META.may_connect(origin_of("http://127.0.0.1:8090/"), "127.0.0.1")
