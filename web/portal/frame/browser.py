"""The browser in front of us: who is logged in there, by a token that its cookie holds."""

from __future__ import annotations

from flask import request, session
from flask_login import LoginManager, UserMixin, current_user, login_user

from db.access import guesses, sessions
from db.access.lineage import Maker
from db.access.sessions import OpenSession
from db.access.users import User
from web.request import devices
from web.request.context import web_context
from web.request.principal import ROLES, Principal

manager = LoginManager()


class LoggedIn(UserMixin):
    """A user with the token of this browser's session: that token is what the cookie holds."""

    def __init__(self, held: OpenSession, token: str) -> None:
        self.user = held.user
        self.session = held
        self.token = token

    def get_id(self) -> str:
        return self.token

    @property
    def principal(self) -> Principal:
        kind = "operator" if self.user.role == "operator" else "tenant"
        return Principal(
            kind,  # type: ignore[arg-type]
            f"user:{self.user.id}",
            self.user.email,
            self.user.tenant_id,
            ROLES[self.user.role],
            Maker("user", self.user.id, self.user.rights_version),
            self.session.id,
            self.user.line_ids,
        )


@manager.user_loader  # type: ignore[untyped-decorator]
def _holder(token: str) -> LoggedIn | None:
    # A page that keeps itself fresh is nobody's doing: left open, it ends like any other.
    held = sessions.held(web_context().pool, token, seen=request.headers.get("X-Fragment") != "1")
    return None if held is None else LoggedIn(held, token)


def begin(user: User, *, second_factor: bool) -> bool:
    """This browser is logged in as `user`, in a new session. `second_factor`: its person has shown one.

    False when the account has changed since `user` was read.
    """
    token = sessions.begin(web_context().pool, user, request.user_agent.string, second_factor=second_factor)
    if token is None:
        return False
    guesses.forget(web_context().pool, user.id, devices.asking(user.email))
    devices.remember(user.email)
    _hold(token)
    return True


def renew(*, second_factor: bool) -> None:
    """What this browser may do has changed, so its session goes on under a new token."""
    _hold(sessions.renew(web_context().pool, current_user.session.id, second_factor=second_factor))


def _hold(token: str) -> None:
    session.clear()
    session.permanent = True
    held = sessions.held(web_context().pool, token)
    if held is not None:  # disabled in this very moment: then nobody is logged in
        login_user(LoggedIn(held, token))
