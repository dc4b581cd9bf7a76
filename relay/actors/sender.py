"""SenderActor: one provider call at a time. Render, claim, call, and word of how it ended."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import structlog

from db import messages
from db.claims import Attempt, Claim, Verdict
from relay import metrics
from relay.actors.base import RelayActor, tell
from relay.actors.commands import (
    Claimed,
    ClaimRequest,
    Freed,
    NotClaimed,
    Outcome,
    Ref,
    Reported,
    ReportOutcome,
    Send,
    SendReport,
    SendSignal,
    Signalled,
)
from relay.actors.parts import Parts
from relay.actors.side import Side
from relay.channels.base import Request, Sent
from relay.core.errors import CannotCarry, SendError
from relay.core.messages import Media
from relay.core.retry import LONGEST_WAIT, OUR_OWN, Decision, decide

log = structlog.get_logger(__name__)


class SenderActor(RelayActor):
    def __init__(self, parts: Parts, side: Side, channel: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._side = side
        self._channel = channel
        self._send: Send | None = None
        self._request: Request | None = None
        self._claimed = False
        self._reporting: SendReport | None = None
        self._signalling: SendSignal | None = None

    def handle(self, command: Any) -> None:
        if isinstance(command, Send):
            self._begin(command)
        elif isinstance(command, Claimed):
            self._go_on(command)
        elif isinstance(command, SendReport):
            self._report(command)
        elif isinstance(command, SendSignal):
            self._signal(command)
        else:
            super().handle(command)

    def recover(self) -> None:
        """Something unforeseen. After the claim the call may have gone out; before it, the message is at fault."""
        send, claimed, self._send, self._request = self._send, self._claimed, None, None
        error = SendError("unknown", "internal_error", "the relay itself failed; its log says where")
        if send is not None and claimed:
            self._settle_error(send, error, time.monotonic())
        elif send is not None:
            self._tell_journal(send, None, verdict=self._verdict(send, "dead", error.code, error.text))
        reporting, self._reporting = self._reporting, None
        if reporting is not None:
            report = reporting.report
            tell(reporting.conversation, Reported(report.message_id, report.status, LONGEST_WAIT))
        signalling, self._signalling = self._signalling, None
        if signalling is not None:
            tell(signalling.conversation, Signalled(again=False))
        self._free(called=claimed, error=error)

    # A message

    def _begin(self, send: Send) -> None:
        self._send, self._claimed = send, False
        try:
            self._request = self._render(send)
        except CannotCarry as error:
            self._tell_journal(send, None, verdict=self._verdict(send, "failed", error.code, error.text))
            self._send = None
            self._free(called=False)
            return
        claim = Claim(send.entry.id, send.shard, send.epoch, send.entry.attempts + 1)
        tell(self._parts.journal, ClaimRequest(claim, self.actor_ref))

    def _render(self, send: Send) -> Request:
        message = send.entry.message
        url = None if message.media is None else self._media_url(message.media, send.direction)
        return self._side.channel.render(message, send.entry.id, send.to, self._side.account, url)

    def _media_url(self, media: Media, direction: str) -> str | None:
        """A link to our copy, signed anew for every attempt; no network is needed for it."""
        if media.object_key is None or media.bucket is None or (media.upload_id and media.kind != "link"):
            return None
        limits = self._parts.limits
        seconds = limits.media_url_inbound if direction == "inbound" else limits.media_url_outbound
        return self._parts.objects.presign(media.bucket, media.object_key, seconds, filename=media.filename)

    def _go_on(self, claimed: Claimed) -> None:
        send, request = self._send, self._request
        if send is None or request is None or send.entry.id != claimed.message_id:
            return
        if claimed.granted:
            send.entry.attempts += 1
            send.entry.claimed = True
            self._claimed = True
            with self._parts.call():
                self._call(send, request, claimed.started)
        else:
            tell(send.conversation, NotClaimed(send.entry.id))
            self._free(called=False)
        self._send, self._request, self._claimed = None, None, False

    def _call(self, send: Send, request: Request, started: float) -> None:
        deadline = started + self._parts.limits.request
        try:
            sent = self._side.channel.send(
                request, self._side.account, deadline, before_send=lambda: self._may_send(deadline)
            )
        except SendError as error:
            self._settle_error(send, error, deadline)
            self._free(called=error.code not in OUR_OWN, error=error)
        else:
            self._settle_sent(send, sent)
            self._free(called=True)

    def _may_send(self, deadline: float) -> None:
        """The last look before the first byte: a claim is worth nothing after its deadline or lease."""
        self._parts.lease.check()
        if time.monotonic() >= deadline:
            raise SendError("retry", "claim_too_old", "the call did not begin within its deadline")

    def _settle_sent(self, send: Send, sent: Sent) -> None:
        now = time.time()
        attempt = Attempt(
            send.entry.id,
            self._side.account.line_id,
            send.entry.attempts,
            "sent",
            now,
            sent.provider_id or None,
            sent.status,
        )
        metrics.seconds.labels(send.direction).observe(max(0.0, now - send.entry.key.arrived_at))
        self._tell_journal(
            send, attempt, sent=attempt, genesys_conversation_id=sent.genesys_conversation_id, aliases=sent.aliases
        )

    def _settle_error(self, send: Send, error: SendError, deadline: float) -> None:
        entry, now = send.entry, time.time()
        decision = self._decide(send, error, now)
        if decision.next == "failed" and self._as_plain_text(send, error):
            decision = Decision("retry", counts=False)
        if decision.counts:
            entry.failures += 1
            entry.first_failure = entry.first_failure or time.monotonic()
        attempt = Attempt(
            entry.id, self._side.account.line_id, entry.attempts, error.fate, now, None, error.status, error.code,
            error.text, error.trace_id, error.answer,
        )  # fmt: skip
        verdict = self._verdict(send, decision.next, error.code, error.text, decision.delay, deadline)
        self._tell_journal(send, attempt, verdict=verdict)

    def _as_plain_text(self, send: Send, error: SendError) -> bool:
        """An answer whose question is over is refused as an answer: what was tapped is told as a text."""
        message = send.entry.message
        if message.answer is None or not message.answer.found:
            return False
        send.entry.message = replace(message, answer=replace(message.answer, offered_by=None))
        loss = f"refused as an answer ({error.code}), goes as a text"
        messages.save_content(self._parts.pool, send.entry.id, send.entry.message, ("as_text", loss))
        return True

    def _decide(self, send: Send, error: SendError, now: float) -> Decision:
        entry, breaker = send.entry, self._side.breaker
        works = entry.first_failure is not None and breaker.last_success > entry.first_failure
        return decide(error, entry.failures + 1, now - entry.key.arrived_at, works)

    def _verdict(
        self, send: Send, state: str, code: str, text: str, delay: float = 0.0, deadline: float = 0.0
    ) -> Verdict:
        now = time.time()
        until = None
        if state == "unknown":
            until = self._unknown_until(send, now, delay, deadline)
        return Verdict(
            send.entry.id, send.epoch, send.entry.attempts, "received" if state == "retry" else state, now, code, text,
            now + delay if state == "retry" else None, until,
        )  # fmt: skip

    def _unknown_until(self, send: Send, now: float, delay: float, deadline: float) -> float:
        """WhatsApp will tell by a status that bears our id; Genesys tells nothing, so ask again soon."""
        if send.direction == "inbound":
            return now + delay
        return now + max(0.0, deadline - time.monotonic()) + self._parts.limits.unknown_outcome

    def _tell_journal(self, send: Send, attempt: Attempt | None, **how: Any) -> None:
        outcome = Outcome(
            send.conversation, send.conversation_id, send.entry.id, self._side.account.line_id, attempt, **how
        )
        tell(self._parts.journal, outcome)

    # A report

    def _report(self, command: SendReport) -> None:
        self._reporting = command
        report, side = command.report, self._side
        deadline = time.monotonic() + self._parts.limits.request
        try:
            request = side.channel.render_report(report, command.to, side.account)
            side.channel.send(request, side.account, deadline, before_send=self._parts.lease.check)
        except (SendError, CannotCarry) as error:
            self._report_failed(command, error)
        else:
            tell(self._parts.journal, ReportOutcome(command.conversation, report.message_id, report.status))
            self._free(called=True)
        self._reporting = None

    def _report_failed(self, command: SendReport, error: SendError | CannotCarry) -> None:
        report = command.report
        if isinstance(error, CannotCarry) or error.fate == "refused":
            outcome = ReportOutcome(command.conversation, report.message_id, report.status, str(error))
            tell(self._parts.journal, outcome)
        else:
            wait = error.retry_after or 1.0
            tell(command.conversation, Reported(report.message_id, report.status, wait))
        self._free(called=True, error=error)

    # A signal

    def _signal(self, command: SendSignal) -> None:
        self._signalling = command
        side, again, failure = self._side, False, None
        deadline = time.monotonic() + self._parts.limits.request
        try:
            request = side.channel.render_signal(command.signal, side.account)
            side.channel.send(request, side.account, deadline, before_send=self._parts.lease.check)
        except (SendError, CannotCarry) as error:
            failure = error
            # Showing it twice does no harm, so an outcome that nobody knows is no reason to stop.
            again = isinstance(error, SendError) and error.fate != "refused"
            log.info("signal_not_shown", kind=command.signal.kind, line_id=side.account.line_id, error=str(error))
        self._signalling = None
        tell(command.conversation, Signalled(again))
        self._free(called=True, error=failure)

    def _free(self, *, called: bool, error: Exception | None = None) -> None:
        tell(self._channel, Freed(self.actor_ref, called, error))
