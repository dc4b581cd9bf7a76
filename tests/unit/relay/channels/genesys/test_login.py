"""An admin's login: the code exchanged, tokens renewed by one process and by two at once, nothing lost."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gevent
import pytest

from relay.channels.base import Account, Logins
from relay.channels.genesys import GenesysChannel, create, renewal
from relay.channels.http.client import HttpTransport
from relay.core.errors import SendError, StoreError
from tests.unit.relay.channels.accounts import GENESYS, Tokens
from tests.unit.relay.channels.servers import Served, answer, routes, serving
from tests.waiting import PATIENCE

TOKEN, LIST = "POST /login/oauth/token", "GET /api/api/v2/conversations/messaging/integrations/open"
LOGIN = {
    "login_client_id": "login-client",
    "login_client_secret": "login-secret-0123456789",
    "refresh_token": "refresh-0",
}
ADMIN = replace(GENESYS, credentials={**GENESYS.credentials, **LOGIN})
TARGET = "https://relay.example/portal/genesys/return"


class Server:
    """A login server whose refresh tokens work once. `takes` are good now."""

    def __init__(self, *, pause: float = 0) -> None:
        self.takes = {"refresh-0"}
        self.given = 0
        self.pause = pause

    def __call__(self, served: Served, sock: Any, asked: Any) -> bool:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.takes:
                return answer(sock, {"error": "invalid_grant", "description": "used"}, 400)
            self.takes.discard(form["refresh_token"])
        self.given += 1
        self.takes.add(f"refresh-{self.given}")
        token = {"access_token": f"access-{self.given:06}", "expires_in": 86400}
        number = self.given
        gevent.sleep(self.pause)
        return answer(
            sock,
            token if form["grant_type"] == "client_credentials" else token | {"refresh_token": f"refresh-{number}"},
        )


@dataclass
class Kept:
    """What is kept for good."""

    token: str | None = "refresh-0"
    away: bool = False
    renewed: list[tuple[str, str]] = field(default_factory=list)

    def logins(self) -> Logins:
        return Logins(self.newest, self.renew)

    def newest(self, tenant_id: str) -> str | None:
        if self.away:
            raise StoreError("away")
        return self.token

    def renew(self, tenant_id: str, former: str, new: str) -> bool:
        if self.away:
            raise StoreError("away")
        if self.token != former:
            return False
        self.renewed.append((former, new))
        self.token = new
        return True


def made(served: Served, kept: Kept, tokens: Tokens | None = None) -> GenesysChannel:
    urls: Any = {"genesys_login_url": served.url + "/login", "genesys_api_url": served.url + "/api"}
    shared = Tokens() if tokens is None else tokens
    return create(HttpTransport(shared, **urls, request_seconds=PATIENCE, logins=kept.logins()))


def soon() -> float:
    return time.monotonic() + PATIENCE


def forms(served: Served) -> list[str]:
    return [parse_qs(one.body.decode())["grant_type"][0] for one in served.asked if one.path == "/login/oauth/token"]


def forget_access(tokens: Tokens) -> None:
    """As after a day: access tokens are gone, refresh tokens are not."""
    for key in [key for key in tokens if not key.endswith(":refresh")]:
        del tokens[key]


def test_the_address_of_the_login_holds_all_but_secrets() -> None:
    channel = create(HttpTransport(Tokens()))
    url = urlsplit(channel.login_url(ADMIN, TARGET, "state-1", "challenge-1"))
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "login.mypurecloud.de", "/oauth/authorize")
    assert asked == {
        "client_id": "login-client",
        "response_type": "code",
        "redirect_uri": TARGET,
        "state": "state-1",
        "code_challenge": "challenge-1",
        "code_challenge_method": "S256",
    }


def test_a_code_is_exchanged_and_its_access_token_used() -> None:
    with serving(routes({TOKEN: Server(), LIST: {"entities": []}})) as served:
        channel = made(served, Kept())
        login = channel.login(ADMIN, "code-1", TARGET, "verifier-1", soon())
        assert (
            channel.offers(
                replace(ADMIN, credentials={**ADMIN.credentials, "refresh_token": login.refresh_token}), soon()
            )
            == []
        )
        exchange, listing = served.asked
    form = {name: values[0] for name, values in parse_qs(exchange.body.decode()).items()}
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": TARGET,
        "code_verifier": "verifier-1",
    }
    assert listing.headers["authorization"] == "Bearer access-000001"
    assert login.refresh_token == "refresh-1"
    assert "refresh-1" not in repr(login)


def test_messages_go_out_by_the_client_and_set_up_by_the_login() -> None:
    with serving(routes({TOKEN: Server(), LIST: {"entities": []}})) as served:
        channel = made(served, Kept())
        channel.token(ADMIN, soon())
        channel.offers(ADMIN, soon())
        assert forms(served) == ["client_credentials", "refresh_token"]


def test_a_new_refresh_token_is_kept_for_good() -> None:
    kept, tokens = Kept(), Tokens()
    with serving(routes({TOKEN: Server(), LIST: {"entities": []}})) as served:
        made(served, kept, tokens).offers(ADMIN, soon())
        forget_access(tokens)
        made(served, kept, tokens).offers(ADMIN, soon())  # another process, whose account is out of date
    assert kept.renewed == [("refresh-0", "refresh-1"), ("refresh-1", "refresh-2")]


def test_without_the_shared_cache_what_is_kept_is_found() -> None:
    kept, server = Kept(), Server()
    with serving(routes({TOKEN: server, LIST: {"entities": []}})) as served:
        made(served, kept).offers(ADMIN, soon())
        made(served, kept).offers(ADMIN, soon())
    assert (kept.token, server.given) == ("refresh-2", 2)


def test_while_the_database_is_away_no_token_is_used_and_none_is_lost() -> None:
    kept, tokens = Kept(away=True), Tokens()
    with serving(routes({TOKEN: Server(), LIST: {"entities": []}})) as served:
        with pytest.raises(SendError) as caught:
            made(served, kept, tokens).offers(ADMIN, soon())
        assert (caught.value.fate, caught.value.code) == ("retry", "login_not_kept")
        kept.away = False
        made(served, kept, tokens).offers(ADMIN, soon())
    assert kept.token == "refresh-2"


def test_two_processes_that_renew_at_once_are_both_served() -> None:
    kept, tokens = Kept(), Tokens()
    with serving(routes({TOKEN: Server(pause=0.3), LIST: {"entities": []}})) as served:
        both = [gevent.spawn(made(served, kept, tokens).offers, ADMIN, soon()) for _ in range(2)]
        gevent.joinall(both, timeout=PATIENCE)
        assert [one.get(block=False) for one in both] == [[], []]
    assert kept.token in ("refresh-1", "refresh-2")


def test_a_login_that_was_ended_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "PATIENCE", 0.1)  # nobody else will bring another one
    server = Server()
    server.takes.clear()
    with serving(routes({TOKEN: server})) as served, pytest.raises(SendError) as caught:
        made(served, Kept()).offers(ADMIN, soon())
    assert (caught.value.fate, caught.value.code) == ("credentials", "invalid_grant")
    assert "refresh-0" not in f"{caught.value!r}"


def only_login() -> Account:
    """One client for both, as where no client-credentials client was entered."""
    return replace(GENESYS, credentials={**GENESYS.credentials, "refresh_token": "refresh-0"})


def test_a_login_does_not_take_the_clients_own_token() -> None:
    tokens = Tokens()
    with serving(routes({TOKEN: Server(), LIST: {"entities": []}})) as served:
        held = made(served, Kept(), tokens).token(GENESYS, soon())
        made(served, Kept(), tokens).offers(only_login(), soon())
        assert forms(served) == ["client_credentials", "refresh_token"]
    assert held.expires_at is not None and 86_000 < held.expires_at - time.time() <= 86_400
    assert sorted(tokens.seconds.values())[:2] == [86_100.0, 86_100.0]


def test_a_login_alone_is_warned_about() -> None:
    with serving(routes({TOKEN: Server(), ".*": (500, {"code": "internal.server.error"})})) as served:
        findings = made(served, Kept()).check(only_login(), soon())
    assert [(one.check, one.level) for one in findings][:2] == [("token", "ok"), ("grant", "warning")]
