"""SenderActor: one provider call at a time. Render, claim, call, and word of how it ended.

For a message, that is; reports and signals need no claim and are left to `Telling`.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from db.mailbox import messages
from relay import metrics
from relay.actors.telling import Telling
from relay.channels.base import Request, Sent
from relay.core.errors import CannotCarry, SendError
from relay.core.mailbox import Attempt, Claim, Verdict
from relay.core.messages import Media
from relay.core.retry import OUR_OWN, Decision, decide
from relay.runtime.actor import RelayActor, tell
from relay.runtime.commands import Claimed, ClaimRequest, Freed, NotClaimed, Outcome, Ref, Send, SendReport, SendSignal
from relay.runtime.context import Parts
from relay.runtime.side import Side
from relay.stores.objects import LONGEST_LINK


class SenderActor(RelayActor):
    def __init__(self, parts: Parts, side: Side, channel: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._side = side
        self._channel = channel
        self._send: Send | None = None
        self._request: Request | None = None
        self._claimed = False
        self._telling = Telling(parts, side)

    def handle(self, command: Any) -> None:
        if isinstance(command, Send):
            self._begin(command)
        elif isinstance(command, Claimed):
            self._go_on(command)
        elif isinstance(command, (SendReport, SendSignal)):
            self._free(called=True, error=self._telling.call(command))
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
        self._telling.give_up()
        self._free(called=claimed, error=error)

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
        """A link to our copy, signed anew for every attempt; no network is needed for it.

        A provider fetches at once. A person, who finds the link in a text, may do so days later.
        """
        if media.object_key is None or media.bucket is None or (media.upload_id and media.kind != "link"):
            return None
        limits = self._parts.limits
        seconds = limits.media_url_inbound if direction == "inbound" else limits.media_url_outbound
        if media.kind == "link":
            seconds = LONGEST_LINK
        return self._parts.objects.presign(media.bucket, media.object_key, seconds, media.filename, media.mime_type)

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
        # WhatsApp names the recipient in every answer: what is known already would only be locked and looked for.
        news = tuple(name for name in sent.aliases if name not in (send.to.wa_id, send.to.bsuid))
        self._tell_journal(
            send, attempt, sent=attempt, genesys_conversation_id=sent.genesys_conversation_id, aliases=news
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

    def _free(self, *, called: bool, error: Exception | None = None) -> None:
        tell(self._channel, Freed(self.actor_ref, called, error))
