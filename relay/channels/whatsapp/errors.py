"""Meta's error codes as data: what each means for the message and for its line.

Source: Meta's page of error codes, 19 Nov 2025, and pywa's list for the codes missing there. The same code may
come as an answer or in a status. Decided by `code` only; titles, HTTP statuses and subcodes are unreliable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from relay.channels.http.client import HttpResponse, redact
from relay.channels.http.reading import record
from relay.channels.http.redaction import KEPT, kept
from relay.channels.text import clean
from relay.channels.whatsapp import code_words
from relay.core.errors import Fate, SendError
from relay.core.explain.causes import Cause, own_cause
from relay.core.languages import phrase

Scope = Literal["line", "contact"]


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    fate: Fate
    cause: Cause
    scope: Scope = "line"
    """Whom it concerns: the whole line, or this contact's messages only."""
    hours: bool = False
    """The limit is counted by the hour or longer: seconds later it still holds."""
    words: str = ""
    """What people are told in place of Meta's own text, where that says too little."""
    alarming: bool = False
    """People have to see to it, or further messages of the line fail."""


ELSEWHERE = phrase(
    "WhatsApp did not take it: this conversation is not ours now, another responder may be answering the customer. "
    "It can be sent again once the conversation is back; the escalation partner takes it with /take"
)
NOT_PARTNER = phrase(
    "WhatsApp did not hand the conversation over: only the escalation partner may take one. "
    "Roles are given in Meta Business Suite"
)

# Of what the relay never asks for there is no row: most of calling (138xxx), blocking (139xxx), business usernames
# (147xxx), making templates and moving numbers (2388xxx, 2494xxx, 2593xxx). `credentials` stops a line, so it is for
# what no message of the line would survive; what one template, flow or recipient may not have is `refused`.
TABLE: tuple[tuple[int | range, ErrorMeaning], ...] = (
    (0, ErrorMeaning("credentials", "credentials")),  # token invalid or expired
    (1, ErrorMeaning("retry", "server")),  # unknown error, or an invalid request
    (2, ErrorMeaning("retry", "server")),  # service temporarily down
    (3, ErrorMeaning("credentials", "credentials")),  # capability or permission problem
    (4, ErrorMeaning("throttled", "rate")),  # the app's call limit
    (10, ErrorMeaning("credentials", "credentials")),  # permission denied
    (17, ErrorMeaning("throttled", "rate")),  # a user's call limit (Graph API)
    (32, ErrorMeaning("throttled", "rate")),  # a page's call limit (Graph API)
    (33, ErrorMeaning("credentials", "credentials")),  # phone number deleted
    (100, ErrorMeaning("refused", "invalid")),  # invalid parameter; with subcode 33 credentials: see `is_foreign`
    (190, ErrorMeaning("credentials", "credentials")),  # token expired or invalid
    (range(200, 300), ErrorMeaning("credentials", "credentials")),  # permission missing for the asset
    (368, ErrorMeaning("credentials", "credentials")),  # blocked for policy violations
    (613, ErrorMeaning("throttled", "rate")),  # a call limit of Graph's own
    (80007, ErrorMeaning("throttled", "rate", hours=True)),  # the account's limit on management calls
    (130403, ErrorMeaning("refused", "recipient", words=code_words.BLOCKED)),  # the business has blocked this customer
    (130429, ErrorMeaning("throttled", "rate")),  # the number's throughput
    (130472, ErrorMeaning("refused", "not_allowed")),  # recipient is part of a marketing experiment
    (130497, ErrorMeaning("refused", "not_allowed")),  # the recipient's country is restricted
    (130501, ErrorMeaning("refused", "unsupported")),  # kind of message that groups do not take
    (131000, ErrorMeaning("retry", "server")),  # something went wrong
    (131005, ErrorMeaning("credentials", "credentials")),  # access denied
    (131008, ErrorMeaning("refused", "invalid")),  # required parameter missing
    (131009, ErrorMeaning("refused", "invalid")),  # parameter value invalid
    (131014, ErrorMeaning("refused", "media_type")),  # request for the file's address failed (legacy)
    (131016, ErrorMeaning("retry", "server")),  # service unavailable
    (131020, ErrorMeaning("refused", "general")),  # group
    (131021, ErrorMeaning("refused", "recipient")),  # recipient is the sender
    (131026, ErrorMeaning("refused", "recipient")),  # undeliverable: not on WhatsApp, old client, terms not accepted
    (131030, ErrorMeaning("refused", "recipient")),  # recipient not among a test number's allowed ones
    (131031, ErrorMeaning("credentials", "credentials")),  # account locked or restricted
    (131036, ErrorMeaning("refused", "general")),  # number without storage: not delivered in its time
    (131037, ErrorMeaning("credentials", "credentials")),  # display name not approved
    (131041, ErrorMeaning("refused", "general")),  # group
    (131042, ErrorMeaning("credentials", "credentials")),  # billing: no way to pay, credit line, currency
    (131044, ErrorMeaning("credentials", "credentials")),  # billing of calls
    (131045, ErrorMeaning("credentials", "credentials")),  # certificate or registration of the number
    (131047, ErrorMeaning("refused", "window_closed")),  # more than 24 hours since the customer's last message
    (131048, ErrorMeaning("throttled", "rate", hours=True)),  # the number's spam limit
    (131049, ErrorMeaning("refused", "not_allowed")),  # healthy ecosystem: marketing cap
    (131050, ErrorMeaning("refused", "opted_out")),  # recipient stopped marketing messages
    (131051, ErrorMeaning("refused", "unsupported")),  # kind of message
    (131052, ErrorMeaning("refused", "media_type")),  # a customer's file that Meta could not have
    (131053, ErrorMeaning("as_link", "media_type")),  # our file: kind, size, or its address
    (131055, ErrorMeaning("refused", "unsupported")),  # method not allowed (marketing API)
    (131056, ErrorMeaning("throttled", "rate", "contact")),  # pair limit, number and recipient
    (131057, ErrorMeaning("retry", "server")),  # account in maintenance
    (131059, ErrorMeaning("refused", "invalid")),  # cursor of a list
    (131060, ErrorMeaning("refused", "general")),  # message unavailable
    (
        131061,
        ErrorMeaning("refused", "not_allowed", words=code_words.BID),
    ),  # a template with a bid goes by another address only
    (
        131062,
        ErrorMeaning("refused", "recipient", words=code_words.NEEDS_NUMBER),
    ),  # this template needs a phone number, not a user id
    (131063, ErrorMeaning("refused", "not_allowed", words=code_words.NO_MARKETING)),  # marketing templates are disabled
    # templates held for another category: those and Direct Send are limited, replies go on
    (131064, ErrorMeaning("throttled", "rate", "contact", hours=True, words=code_words.MISPLACED, alarming=True)),
    (
        131065,
        ErrorMeaning("refused", "not_allowed", words=code_words.NO_HIGHEST_PRICE),
    ),  # no highest price can be set in the recipient's country
    (131070, ErrorMeaning("refused", "elsewhere", words=ELSEWHERE)),  # another responder has the conversation
    (range(131201, 131216), ErrorMeaning("refused", "general")),  # group
    (132000, ErrorMeaning("refused", "invalid")),  # template: number of parameters
    (132001, ErrorMeaning("refused", "invalid")),  # template: missing, in this language, or not approved
    (132005, ErrorMeaning("refused", "invalid")),  # template: text too long
    (132007, ErrorMeaning("refused", "not_allowed")),  # template: content violates a policy
    (132008, ErrorMeaning("refused", "invalid")),  # template: parameter value
    (132012, ErrorMeaning("refused", "invalid")),  # template: parameter format
    (132015, ErrorMeaning("refused", "not_allowed")),  # template: paused
    (132016, ErrorMeaning("refused", "not_allowed")),  # template: disabled
    (132018, ErrorMeaning("refused", "invalid")),  # template: parameter (from v23.0)
    (132068, ErrorMeaning("refused", "not_allowed")),  # flow blocked
    (132069, ErrorMeaning("throttled", "rate", "contact", hours=True)),  # flow: ten an hour
    (133000, ErrorMeaning("credentials", "credentials")),  # deregistration not complete
    (133004, ErrorMeaning("retry", "server")),  # server temporarily unavailable
    (133005, ErrorMeaning("credentials", "credentials")),  # PIN wrong
    (133006, ErrorMeaning("credentials", "credentials")),  # number not verified
    (133008, ErrorMeaning("credentials", "credentials")),  # PIN guessed too often
    (133009, ErrorMeaning("credentials", "credentials")),  # PIN guessed too fast
    (133010, ErrorMeaning("credentials", "credentials")),  # number not registered
    (133015, ErrorMeaning("retry", "server")),  # number just deleted: five minutes
    (133016, ErrorMeaning("throttled", "rate", hours=True)),  # registrations in 72 hours
    (134011, ErrorMeaning("credentials", "credentials")),  # payment terms not accepted
    (range(134100, 134103), ErrorMeaning("refused", "general")),  # marketing API
    (135000, ErrorMeaning("refused", "invalid")),  # parameters, without saying which
    (137000, ErrorMeaning("refused", "recipient")),  # the recipient's identity key has changed
    (138038, ErrorMeaning("refused", "not_allowed", words=code_words.CALLS_ELSEWHERE)),  # not first for calls
    (2494191, ErrorMeaning("refused", "not_allowed", words=NOT_PARTNER)),  # only the escalation partner takes threads
)
_MEANINGS = {
    code: meaning
    for codes, meaning in TABLE
    for code in (codes if isinstance(codes, range) else range(codes, codes + 1))
}
_UNKNOWN = ErrorMeaning("refused", "general")
LONGEST = 9
"""Digits of a code: webhooks may hold anything."""
LONGEST_ID = 200
TOKEN_CODES = ("0", "190")


def meaning(code: str | None) -> ErrorMeaning:
    """What a code of Meta's means; one that is not in the table is final, and says nothing."""
    known = code is not None and len(code) <= LONGEST and code.isascii() and code.isdecimal()
    return _MEANINGS.get(int(code), _UNKNOWN) if code and known else _UNKNOWN


def cause(code: str | None) -> Cause:
    """Why a message failed, from Meta's code or one of ours."""
    return own_cause(code) or meaning(code).cause


def fate_of(code: str | None) -> Fate:
    """What a code in a status means: Meta had taken the message, and did not deliver it."""
    found = meaning(code)
    return "refused" if found.hours else found.fate


def alarming(code: str | None) -> bool:
    """Whether a failed message tells of its line, so that people have to see to it."""
    return meaning(code).alarming or meaning(code).fate == "credentials"


def told(status: dict[str, Any]) -> str | None:
    """What a failed status says, as it is kept with the message."""
    which = {key: (clean(status.get(key)) or "")[:LONGEST_ID] for key in ("id", "timestamp")}
    beginning = f'{json.dumps(which)[:-1]}, "errors": '
    return f"{beginning}{kept(status.get('errors'), longest=KEPT - len(beginning) - 1)}}}"


def meta_error(answer: HttpResponse) -> dict[str, Any] | None:
    """Meta's own error body, None where the answer has none."""
    error = record(answer.data).get("error")
    return error if isinstance(error, dict) and isinstance(error.get("code"), int) else None


def is_foreign(error: dict[str, Any]) -> bool:
    """True when the token cannot see the object: deleted, or somebody else's."""
    return error["code"] == 33 or (error["code"] == 100 and str(error.get("error_subcode")) == "33")


def without_direct_send(error: dict[str, Any]) -> bool:
    """Whether the account may not use Direct Send: an invalid parameter whose details name its category."""
    return error["code"] == 100 and any(word in _text(error).lower() for word in ("category", "direct send"))


def failure(answer: HttpResponse, secrets: Iterable[str] = ()) -> SendError:
    """The SendError for an answer that is not a success."""
    error = meta_error(answer)
    secrets = (*secrets, answer.token)
    if error is None:
        return _edge_failure(answer, secrets)
    code = str(error["code"])
    return SendError(
        _fate(error, answer.status),
        code,
        redact(worded(code, _text(error)) or "", secrets),
        retry_after=answer.retry_after,
        scope=meaning(code).scope,
        status=answer.status,
        trace_id=clean(error.get("fbtrace_id")),
        answer=answer.kept(secrets),
    )


def of_thread(error: SendError) -> SendError:
    """The same answer to a call that hands a thread over.

    Where something went wrong on Meta's side it may have been done; and what an account may not do with threads is no
    trouble of its messages: only a token that is refused is.
    """
    fate = error.fate
    if error.status is not None and error.status >= 500:
        fate = "unknown"
    elif fate == "credentials" and error.code not in TOKEN_CODES:
        fate = "refused"
    return SendError(
        fate, error.code, error.text, retry_after=error.retry_after, scope=error.scope, status=error.status,
        trace_id=error.trace_id, answer=error.answer,
    )  # fmt: skip


def _fate(error: dict[str, Any], status: int) -> Fate:
    """Of an unknown code Meta's own word decides, or that the fault was on its side."""
    if is_foreign(error):
        return "credentials"
    known = _MEANINGS.get(error["code"])
    if known:
        return known.fate
    return "retry" if error.get("is_transient") is True or status >= 500 else "refused"


def worded(code: str | None, text: str | None) -> str | None:
    """What Meta says about a failure, after our own words where there are some."""
    words = meaning(code).words
    return phrase("%(words)s (Meta: %(text)s)", words=words, text=text) if words and text else words or text


def _text(error: dict[str, Any]) -> str:
    details = clean(record(error.get("error_data")).get("details"))
    message = clean(error.get("message")) or clean(error.get("title")) or "no text"
    return f"{message}: {details}" if details and details not in message else message


def _edge_failure(answer: HttpResponse, secrets: Iterable[str]) -> SendError:
    """An answer without Meta's error body comes from something in between, or is no answer at all."""
    status = answer.status
    text = phrase("HTTP %(status)s without WhatsApp's own answer", status=str(status))
    fate: Fate = "retry"
    if status < 300 or status == 408 or status >= 500:
        fate = "unknown"
    elif status == 429:
        fate = "throttled"
    elif status in (400, 405, 413, 414, 415, 422):
        fate = "refused"
    return SendError(
        fate, f"http_{status}", text, retry_after=answer.retry_after, status=status, answer=answer.kept(secrets)
    )
