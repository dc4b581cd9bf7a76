"""Two OAuth clients may belong to one tenant: one carries messages, an admin's login sets things up.

Genesys takes customers' messages from a client-credentials client only; a user's token is no
substitute [genesys.md 1.2, 1.3].
"""

from __future__ import annotations

from dataclasses import replace

from relay.channels.base import Account

LOGIN = ("login_client_id", "login_client_secret", "refresh_token")


def carrying(account: Account) -> Account:
    """The account as it carries messages: without the login, when that has a client of its own."""
    held = account.credentials
    if not held.get("login_client_id"):
        return account
    return replace(account, credentials={name: value for name, value in held.items() if name not in LOGIN})


def setting_up(account: Account) -> Account:
    """The account as it changes integrations: by the admin's login, where there is one."""
    held = account.credentials
    if not held.get("login_client_id") or not held.get("refresh_token"):
        return carrying(account)
    return replace(account, credentials={**logging_in(account).credentials, "refresh_token": held["refresh_token"]})


def logging_in(account: Account) -> Account:
    """The OAuth client that an admin logs in through."""
    held = account.credentials
    prefix = "login_" if held.get("login_client_id") else ""
    login = {name: held.get(prefix + name, "") for name in ("client_id", "client_secret")}
    return replace(account, credentials={**carrying(account).credentials, **login})
