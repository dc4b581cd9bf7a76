"""What this relay itself has to have right for a line: its secrets, and an address that providers can reach."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from db.tenants.event_listeners import ListenerStanding
from relay.channels.base import Finding, Level
from relay.core.languages import phrase, together

LONGEST_SHORT = 15
"""Genesys takes webhook secrets of more characters than this."""
NO_APP = phrase(
    "Copy the App secret from App settings > Basic of your app at developers.facebook.com, or have the operator set "
    "META_APP_SECRET."
)
LONGER = phrase("Choose a longer one, and enter the same at Genesys; the relay can make and set one.")
LISTEN = phrase(
    "Ends of conversations are not heard of until then; messages flow. Where a permission is missing: in Genesys Cloud "
    "under Admin > People & Permissions > Roles, give it to a role of the OAuth client. Or set up a trigger or "
    "EventBridge, and switch listening off."
)
ROOM = phrase("Set up EventBridge, which tells of all of them.")
PUBLIC_URL = phrase(
    "The operator sets PUBLIC_URL to an https address on port 443 that the internet can reach: Meta and Genesys call "
    "no other."
)


def secrets(meta: str, genesys: str) -> list[Finding]:
    """The secrets that webhooks of this line are proved with."""
    return [app_secret(meta), _webhook_secret(genesys)]


def app_secret(secret: str) -> Finding:
    """The tenant's own or the platform's."""
    if secret:
        return Finding("app_secret", "ok", phrase("an app secret is set, so Meta's webhooks can be verified"))
    text = phrase(
        "neither the tenant nor META_APP_SECRET holds an app secret, so every webhook of Meta will be refused"
    )
    return Finding("app_secret", "warning", text, NO_APP)


def _webhook_secret(secret: str) -> Finding:
    if len(secret) > LONGEST_SHORT:
        return Finding("webhook_secret", "ok", phrase("the webhook secret is long enough for Genesys"))
    text = phrase("the webhook secret is too short: Genesys takes more than %(count)s characters", count=LONGEST_SHORT)
    return Finding("webhook_secret", "warning", text, LONGER)


def public_url(url: str, rehearsing: bool) -> Finding:
    """`rehearsing`: the providers are stand-ins on this machine, which reach what the real ones cannot."""
    wrong = _wrong(url)
    if wrong is None:
        return Finding("public_url", "ok", phrase("PUBLIC_URL is an https address on port 443"))
    if rehearsing:
        text = phrase(
            "PUBLIC_URL %(wrong)s: that does for the sandbox, but Meta and Genesys could not reach it", wrong=wrong
        )
        return Finding("public_url", "warning", text, PUBLIC_URL)
    level: Level = "refused"
    text = phrase("PUBLIC_URL %(wrong)s, so Meta and Genesys cannot reach it", wrong=wrong)
    return Finding("public_url", level, text, PUBLIC_URL)


def _wrong(url: str) -> str | None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    faults = [phrase("is not https")] if parts.scheme != "https" else []
    faults += [phrase("has the port %(port)s", port=str(parts.port))] if parts.port not in (None, 443) else []
    faults += [phrase("has a private address")] if _is_private(host) else []
    return together(faults, ", ") or None


def _is_private(host: str) -> bool:
    """A name that only means something inside, or an address that only works there. Names are not resolved."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".test", ".lan"))


def listening(standing: ListenerStanding) -> Finding:
    """Whether ends of conversations are heard at Genesys, where a line of the tenant's wants that."""
    if standing.trouble:
        return Finding(
            "listening",
            "warning",
            phrase("the relay cannot listen to Genesys: %(trouble)s", trouble=standing.trouble),
            LISTEN,
        )
    if standing.since is None:
        return Finding(
            "listening",
            "warning",
            phrase("the relay has not begun to listen to Genesys"),
            phrase("Check again in a minute."),
        )
    if standing.left_out:
        text = phrase(
            "Genesys tells of the ends of %(count)s conversations; there is no room for more",
            count=standing.conversations,
        )
        return Finding("listening", "warning", text, ROOM)
    return Finding("listening", "ok", phrase("the relay listens to Genesys for the ends of conversations"))
