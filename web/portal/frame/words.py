"""What the database says in short codes, in words for people. Registered as template filters."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from web.portal.frame.blueprint import portal
from web.portal.frame.formats import number
from web.portal.frame.language import _, translated

KINDS = {
    "text": "Text",
    "image": "Picture",
    "video": "Video",
    "audio": "Audio",
    "voice": "Voice message",
    "document": "Document",
    "sticker": "Sticker",
    "link": "File",
    "contacts": "Contact card",
    "location": "Location",
    "interactive": "Answer from a menu",
    "button": "Answer to a button",
    "reaction": "Reaction",
    "unsupported": "Unsupported",
    "structured": "Structured message",
    "template": "Template",
    "ask": "Request to the customer",
    "menu": "Something to tap",
    "thread_control": "Handing over",
    "handover": "Handed over",
    "recap": "Recap by a machine",
}
DIRECTIONS = {"inbound": "From the customer", "outbound": "From the agent"}
SIDES = {"whatsapp": "WhatsApp", "genesys": "Genesys", "relay": "this relay"}
OUTCOMES = {
    None: "Under way",
    "sent": "Accepted",
    "retry": "Failed, tried again",
    "throttled": "Told to slow down",
    "refused": "Refused",
    "credentials": "Credentials refused",
    "unknown": "No clear answer",
    "undelivered": "Accepted, not delivered",
}
EVENTS = {
    "late": "Out of order",
    "caught_up": "Caught up",
    "file_missing": "Went on without its file",
    "as_link": "Its file was refused: goes with a link to it",
    "as_text": "An answer whose question was over: told as a text",
    "template": "A template went out in its place",
    "retry": "To be tried again",
    "unknown": "Outcome not known",
    "failed": "Failed",
    "undelivered": "Not delivered, to be sent again",
    "dead": "Given up",
    "reported": "The agent's side was told",
    "report_given_up": "The agent's side could not be told",
    "replayed": "Sent again by hand",
    "asked": "Asked for through the API",
    "end_asked": "Genesys was told to end the conversation",
    "end_overtaken": "The customer asked for the end, and wrote again before it",
    "end_nowhere": "The customer asked for the end",
    "end_refused": "Genesys did not end the conversation",
    "end_unknown": "Nobody knows whether Genesys ended the conversation",
    "after_end": "Sent because the conversation ended",
}
ENDS = {
    "over": "The conversation ended at Genesys",
    "agent_left": "An agent left the conversation",
    "asked": "The customer asked for the end: Genesys was told to disconnect",
}
ICONS = {
    "received": "hourglass-split",
    "sending": "arrow-repeat",
    "unknown": "question-circle",
    "sent": "check",
    "delivered": "check-all",
    "read": "eye",
    "failed": "x-circle",
    "dead": "x-octagon",
    "ignored": "slash-circle",
    "record": "journal",
    "active": "check-circle",
    "ok": "check-circle",
    "warning": "exclamation-triangle",
    "paused": "pause-circle",
    "onboarding": "tools",
    "pending": "hourglass",
    "refused": "x-circle",
    "released": "box-arrow-right",
    "disabled": "slash-circle",
    "waiting": "hourglass-split",
    "trouble": "exclamation-triangle",
    "stopped": "stop-circle",
    "revoked": "slash-circle",
    "expired": "clock-history",
    "ended": "diagram-2",
    "locked": "lock",
    "running": "arrow-counterclockwise",
    "done": "check-circle",
    "cancelled": "slash-circle",
}
"""A state is never told by its colour alone."""
ROLES = {
    "operator": "Operator",
    "admin": "Admin",
    "viewer": "Viewer",
}
ACTIONS = {
    "conditions.webhook_set": "Set the webhook that is told what is wrong",
    "conditions.webhook_removed": "Removed the webhook that was told what is wrong",
    "conversation.viewed": "Looked at a conversation",
    "conversation.exported": "Took a conversation out as a file",
    "person.exported": "Took all that is kept of a person out as a file",
    "message.viewed": "Looked at a message",
    "payload.viewed": "Looked at the raw payload of a message",
    "media.viewed": "Opened a file",
    "message.replayed": "Sent a dead letter again",
    "replay.started": "Began to send dead letters again",
    "replay.cancelled": "Cancelled sending dead letters again",
    "replay.ended": "Sent dead letters again",
    "replay.failed": "Gave up sending dead letters again",
    "conversations.listed": "Looked through conversations",
    "messages.listed": "Looked through messages",
    "dead_letters.listed": "Looked through dead letters",
    "notices.listed": "Looked through notices",
    "unknown.viewed": "Looked at what came for an unknown number",
    "broker_letters.viewed": "Looked at updates that nobody could read",
    "broker_letters.replayed": "Put updates that nobody could read back",
    "unknown.replayed": "Relayed what came for an unknown number",
    "unknown.deleted": "Deleted what came for an unknown number",
    "user.created": "Invited a user",
    "user.changed": "Changed a user",
    "user.password": "Set a password",
    "user.second_factor": "Set up a second factor",
    "user.second_factor_removed": "Took a second factor away",
    "user.recovery_codes": "Made new recovery codes",
    "user.recovery_code": "Logged in with a recovery code",
    "user.locked": "Locked after wrong passwords",
    "user.unlocked": "Unlocked a user",
    "session.begun": "Logged in",
    "login.refused": "A log-in was refused",
    "key.refused": "A key was refused",
    "access.denied": "Asked for what they have no right to",
    "session.ended": "Logged out a browser",
    "session.ended_all": "Logged out everywhere",
    "endpoint.created": "Named an endpoint for events",
    "endpoint.changed": "Changed an endpoint",
    "endpoint.secret_rotated": "Made a new secret for an endpoint",
    "endpoint.tested": "Sent an endpoint a test",
    "endpoint.replayed": "Had an endpoint told again",
    "endpoint.deleted": "Deleted an endpoint",
    "key.created": "Made an API key",
    "key.revoked": "Revoked an API key",
    "installation.restored": "Took a restored database into use",
    "installation.moved": "Said that the database was moved",
    "key.kept": "Kept the keys of a former ADMIN_API_KEY",
    "tenant.created": "Made the tenant",
    "tenant.activated": "Went live",
    "tenant.active": "Resumed the tenant",
    "tenant.paused": "Paused the tenant",
    "tenant.second_factor_demanded": "Demanded a second factor of everybody",
    "tenant.second_factor_optional": "Left the second factor to each person",
    "tenant.renamed": "Renamed the tenant",
    "tenant.language": "Changed the language of the tenant",
    "line.put": "Set up a line",
    "line.rate_capped": "WhatsApp takes fewer, or again more, messages a second of a line",
    "line.removed": "Removed a line",
    "line.refused": "A provider refused a line",
    "line.repaired": "Paired a line anew",
    "line.waits": "A line waits for proof of whose it is",
    "line.given_up": "A line is not asked about any more",
    "line.disputed": "Another tenant has proved that a number is theirs",
    "line.released": "Released a line",
    "line.transferred": "A line passed on to another tenant",
    "credentials.put": "Changed credentials",
    "credentials.former_ended": "Ended replaced webhook secrets at once",
    "line.subscribed": "Subscribed an app at Meta to all webhook fields",
    "line.configured": "Changed the settings of a line",
    "credentials.login_renewed": "The log-in at Genesys was renewed",
    "credentials.health": "A provider judged credentials",
    "webhook.items_dropped": "Dropped updates of webhooks signed by somebody else",
    "token.read": "Fetched an access token",
    "rate_card.uploaded": "Uploaded rate cards",
    "rate_card.deleted": "Deleted a rate card",
}
NEWS = {
    "password": "Your password was changed",
    "second_factor": "A second factor was set up for your account",
    "second_factor_removed": "Your second factor was taken away",
    "recovery_codes": "New recovery codes were made for your account; the former ones are worth nothing",
    "recovery_code": "One of your recovery codes was used to log in",
    "key_created": "An API key was made in your name",
    "key_revoked": "An API key of yours was revoked",
}
"""What people are told about their own log-in."""
NOTICES = {
    "unreadable": "Not readable",
    "identity_conflict": "Number and user id contradict each other",
    "line_disputed": "Somebody else has proved that this is theirs",
    "line_released": "The line was released",
}
"""Kinds of our own; all others are the provider's words."""


@portal.app_template_filter("notice_word")
def notice_word(kind: str) -> str:
    return NOTICES.get(kind) or kind.replace("_", " ").capitalize()


@portal.app_template_filter("news_word")
def news_word(what: str) -> str:
    return NEWS.get(what, _plain(what))


@portal.app_template_filter("state_icon")
def state_icon(state: str) -> str:
    return ICONS.get(state, "dot")


@portal.app_template_filter("kind_word")
def kind_word(kind: str) -> str:
    return KINDS.get(kind, _plain(kind))


@portal.app_template_filter("direction_word")
def direction_word(direction: str) -> str:
    return DIRECTIONS.get(direction, _plain(direction))


@portal.app_template_filter("side_word")
def side_word(side: str) -> str:
    return SIDES.get(side, _plain(side))


@portal.app_template_filter("outcome_word")
def outcome_word(outcome: str | None) -> str:
    return OUTCOMES.get(outcome) or _plain(outcome or "")


@portal.app_template_filter("event_word")
def event_word(event: str) -> str:
    return EVENTS.get(event, _plain(event))


@portal.app_template_filter("end_word")
def end_word(kind: str) -> str:
    return ENDS.get(kind, _plain(kind))


@portal.app_template_filter("role_word")
def role_word(role: str) -> str:
    return ROLES.get(role, _plain(role))


@portal.app_template_filter("action_word")
def action_word(action: str) -> str:
    return ACTIONS.get(action, _plain(action.replace(".", ": ")))


@portal.app_template_filter("sentence")
def sentence(text: str) -> str:
    """Begins with a capital and ends with a full stop."""
    text = translated(text).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


@portal.app_template_filter("size")
def size(count: int | None) -> str:
    """Of a file, in the unit that people use."""
    if count is None:
        return ""
    for limit, divisor, unit in ((1_000, 1, _("bytes")), (1_000_000, 1_000, "kB"), (10**9, 10**6, "MB")):
        if count < limit:
            return f"{number(count / divisor)} {unit}"
    return f"{number(count / 10**9, 1)} GB"


@portal.app_template_filter("percent")
def percent(share: float | None) -> str:
    """Never 100 % while one is missing, never 0 % while there is one."""
    if share is None:
        return "–"
    if 0 < share < 1:
        share = min(max(share, 0.001), 0.999)
    return number(share * 100, 0 if round(share * 1000) % 10 == 0 else 1) + " %"


@portal.app_template_filter("short_id")
def short_id(value: str) -> str:
    """Enough to tell two ids apart: the ends, since time-ordered ids and Meta's begin alike."""
    return value if len(value) <= 14 else f"{value[:6]}…{value[-6:]}"


@portal.app_template_filter("phone")
def phone(wa_id: str) -> str:
    return f"+{wa_id}" if wa_id.isascii() and wa_id.isdigit() else wa_id


@portal.app_template_filter("initials")
def initials(name: str | None) -> str:
    """Up to two letters for the picture that nobody has."""
    words = [word for word in (name or "").split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "#"


@portal.app_template_filter("took")
def took(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, (end - begin).total_seconds())


@portal.app_template_filter("as_json")
def as_json(value: Any) -> str:
    """To be read; what no encoding can write (half a pair of surrogates) becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()


def _plain(word: str) -> str:
    return word.replace("_", " ").capitalize()
