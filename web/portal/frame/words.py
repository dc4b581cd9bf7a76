"""What the database says in short codes, in words for people. Registered as template filters."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from web.portal.frame.blueprint import portal
from web.portal.frame.formats import number
from web.portal.frame.language import _, _l, translated

KINDS = {
    "text": _l("Text"),
    "image": _l("Picture"),
    "video": _l("Video"),
    "audio": _l("Audio"),
    "voice": _l("Voice message"),
    "document": _l("Document"),
    "sticker": _l("Sticker"),
    "link": _l("File"),
    "contacts": _l("Contact card"),
    "location": _l("Location"),
    "interactive": _l("Answer from a menu"),
    "button": _l("Answer to a button"),
    "reaction": _l("Reaction"),
    "unsupported": _l("Unsupported"),
    "structured": _l("Structured message"),
    "template": _l("Template"),
    "ask": _l("Request to the customer"),
    "menu": _l("Something to tap"),
    "thread_control": _l("Handing over"),
    "handover": _l("Handed over"),
    "recap": _l("Recap by a machine"),
}
DIRECTIONS = {"inbound": _l("From the customer"), "outbound": _l("From the agent")}
SIDES = {"whatsapp": _l("WhatsApp"), "genesys": _l("Genesys"), "relay": _l("this relay")}
OUTCOMES = {
    None: _l("Under way"),
    "sent": _l("Accepted"),
    "retry": _l("Failed, tried again"),
    "throttled": _l("Told to slow down"),
    "refused": _l("Refused"),
    "credentials": _l("Credentials refused"),
    "unknown": _l("No clear answer"),
    "undelivered": _l("Accepted, not delivered"),
}
EVENTS = {
    "late": _l("Out of order"),
    "caught_up": _l("Caught up"),
    "file_missing": _l("Went on without its file"),
    "as_link": _l("Its file was refused: goes with a link to it"),
    "as_text": _l("An answer whose question was over: told as a text"),
    "template": _l("A template went out in its place"),
    "retry": _l("To be tried again"),
    "unknown": _l("Outcome not known"),
    "failed": _l("Failed"),
    "undelivered": _l("Not delivered, to be sent again"),
    "dead": _l("Given up"),
    "reported": _l("The agent's side was told"),
    "report_given_up": _l("The agent's side could not be told"),
    "replayed": _l("Sent again by hand"),
    "asked": _l("Asked for through the API"),
    "end_asked": _l("Genesys was told to end the conversation"),
    "end_overtaken": _l("The customer asked for the end, and wrote again before it"),
    "end_nowhere": _l("The customer asked for the end"),
    "end_refused": _l("Genesys did not end the conversation"),
    "end_unknown": _l("Nobody knows whether Genesys ended the conversation"),
    "after_end": _l("Sent because the conversation ended"),
}
ENDS = {
    "over": _l("The conversation ended at Genesys"),
    "agent_left": _l("An agent left the conversation"),
    "asked": _l("The customer asked for the end: Genesys was told to disconnect"),
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
    "closed": "door-closed",
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
    "operator": _l("Operator"),
    "admin": _l("Admin"),
    "viewer": _l("Viewer"),
}
ACTIONS = {
    "conditions.webhook_set": _l("Set the webhook that is told what is wrong"),
    "conditions.webhook_removed": _l("Removed the webhook that was told what is wrong"),
    "conversation.viewed": _l("Looked at a conversation"),
    "conversation.exported": _l("Took a conversation out as a file"),
    "person.exported": _l("Took all that is kept of a person out as a file"),
    "message.viewed": _l("Looked at a message"),
    "payload.viewed": _l("Looked at the raw payload of a message"),
    "media.viewed": _l("Opened a file"),
    "message.replayed": _l("Sent a dead letter again"),
    "replay.started": _l("Began to send dead letters again"),
    "replay.cancelled": _l("Cancelled sending dead letters again"),
    "replay.ended": _l("Sent dead letters again"),
    "replay.failed": _l("Gave up sending dead letters again"),
    "conversations.listed": _l("Looked through conversations"),
    "messages.listed": _l("Looked through messages"),
    "dead_letters.listed": _l("Looked through dead letters"),
    "notices.listed": _l("Looked through notices"),
    "unknown.viewed": _l("Looked at what came for an unknown number"),
    "broker_letters.viewed": _l("Looked at updates that nobody could read"),
    "broker_letters.replayed": _l("Put updates that nobody could read back"),
    "unknown.replayed": _l("Relayed what came for an unknown number"),
    "unknown.deleted": _l("Deleted what came for an unknown number"),
    "user.created": _l("Invited a user"),
    "user.changed": _l("Changed a user"),
    "user.password": _l("Set a password"),
    "user.second_factor": _l("Set up a second factor"),
    "user.second_factor_removed": _l("Took a second factor away"),
    "user.recovery_codes": _l("Made new recovery codes"),
    "user.recovery_code": _l("Logged in with a recovery code"),
    "user.locked": _l("Locked after wrong passwords"),
    "user.unlocked": _l("Unlocked a user"),
    "session.begun": _l("Logged in"),
    "login.refused": _l("A log-in was refused"),
    "key.refused": _l("A key was refused"),
    "access.denied": _l("Asked for what they have no right to"),
    "session.ended": _l("Logged out a browser"),
    "session.ended_all": _l("Logged out everywhere"),
    "endpoint.created": _l("Named an endpoint for events"),
    "endpoint.changed": _l("Changed an endpoint"),
    "endpoint.secret_rotated": _l("Made a new secret for an endpoint"),
    "endpoint.tested": _l("Sent an endpoint a test"),
    "endpoint.replayed": _l("Had an endpoint told again"),
    "endpoint.deleted": _l("Deleted an endpoint"),
    "key.created": _l("Made an API key"),
    "key.revoked": _l("Revoked an API key"),
    "key.kept": _l("Kept the keys of a former ADMIN_API_KEY"),
    "tenant.created": _l("Made the tenant"),
    "tenant.activated": _l("Went live"),
    "tenant.active": _l("Resumed the tenant"),
    "tenant.paused": _l("Paused the tenant"),
    "visits.consent": _l("Let operators look in only by consent"),
    "visits.always": _l("Let operators look in at any time"),
    "visit.allowed": _l("Let the operator in for a while"),
    "visit.forced": _l("Let itself in as in an emergency"),
    "visit.ended": _l("Ended the operator’s visit"),
    "tenant.second_factor_demanded": _l("Demanded a second factor of everybody"),
    "tenant.second_factor_optional": _l("Left the second factor to each person"),
    "tenant.renamed": _l("Renamed the tenant"),
    "tenant.language": _l("Changed the language of the tenant"),
    "line.put": _l("Set up a line"),
    "line.rate_capped": _l("WhatsApp takes fewer, or again more, messages a second of a line"),
    "line.removed": _l("Removed a line"),
    "line.refused": _l("A provider refused a line"),
    "line.repaired": _l("Paired a line anew"),
    "line.waits": _l("A line waits for proof of whose it is"),
    "line.given_up": _l("A line is not asked about any more"),
    "line.disputed": _l("Another tenant has proved that a number is theirs"),
    "line.released": _l("Released a line"),
    "line.transferred": _l("A line passed on to another tenant"),
    "credentials.put": _l("Changed credentials"),
    "credentials.former_ended": _l("Ended replaced webhook secrets at once"),
    "line.subscribed": _l("Subscribed an app at Meta to all webhook fields"),
    "line.configured": _l("Changed the settings of a line"),
    "credentials.login_renewed": _l("The log-in at Genesys was renewed"),
    "credentials.health": _l("A provider judged credentials"),
    "webhook.items_dropped": _l("Dropped updates of webhooks signed by somebody else"),
    "token.read": _l("Fetched an access token"),
    "rate_card.uploaded": _l("Uploaded rate cards"),
    "rate_card.deleted": _l("Deleted a rate card"),
    "installation.restored": _l("Took a restored database into use"),
    "installation.moved": _l("Said that the database was moved"),
}
NEWS = {
    "password": _l("Your password was changed"),
    "second_factor": _l("A second factor was set up for your account"),
    "second_factor_removed": _l("Your second factor was taken away"),
    "recovery_codes": _l("New recovery codes were made for your account; the former ones are worth nothing"),
    "recovery_code": _l("One of your recovery codes was used to log in"),
    "key_created": _l("An API key was made in your name"),
    "key_revoked": _l("An API key of yours was revoked"),
}
"""What people are told about their own log-in."""
NOTICES = {
    "unreadable": _l("Not readable"),
    "identity_conflict": _l("Number and user id contradict each other"),
    "line_disputed": _l("Somebody else has proved that this is theirs"),
    "line_released": _l("The line was released"),
}
"""Kinds of our own; all others are the provider's words."""


@portal.app_template_filter("notice_word")
def notice_word(kind: str) -> str:
    return str(NOTICES.get(kind) or kind.replace("_", " ").capitalize())


@portal.app_template_filter("news_word")
def news_word(what: str) -> str:
    return str(NEWS.get(what, _plain(what)))


@portal.app_template_filter("state_icon")
def state_icon(state: str) -> str:
    return ICONS.get(state, "dot")


@portal.app_template_filter("kind_word")
def kind_word(kind: str) -> str:
    return str(KINDS.get(kind, _plain(kind)))


@portal.app_template_filter("direction_word")
def direction_word(direction: str) -> str:
    return str(DIRECTIONS.get(direction, _plain(direction)))


@portal.app_template_filter("side_word")
def side_word(side: str) -> str:
    return str(SIDES.get(side, _plain(side)))


@portal.app_template_filter("outcome_word")
def outcome_word(outcome: str | None) -> str:
    return str(OUTCOMES.get(outcome) or _plain(outcome or ""))


@portal.app_template_filter("event_word")
def event_word(event: str) -> str:
    return str(EVENTS.get(event, _plain(event)))


@portal.app_template_filter("end_word")
def end_word(kind: str) -> str:
    return str(ENDS.get(kind, _plain(kind)))


@portal.app_template_filter("role_word")
def role_word(role: str) -> str:
    return str(ROLES.get(role, _plain(role)))


@portal.app_template_filter("action_word")
def action_word(action: str) -> str:
    return str(ACTIONS.get(action, _plain(action.replace(".", ": "))))


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
