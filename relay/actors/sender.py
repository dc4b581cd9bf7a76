"""SenderActor: one provider call at a time. Render, claim, call, and word of how it ended.

It is handed a job and answers with facts; nothing that it holds is anybody else's. Delivery reports
and presence need no claim and are left to `UnclaimedCalls`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from db.mailbox import messages
from relay import even_clock, metrics
from relay.actors import traced
from relay.actors.lost_answers import FOUND, LOOK_SECONDS, found_there
from relay.actors.unclaimed import UnclaimedCalls
from relay.channels.base import Request, Sent
from relay.core.conversation.another_form import after_refusal, in_some_form
from relay.core.conversation.dispatch import DispatchFacts, DispatchJob
from relay.core.conversation.events import NotClaimed
from relay.core.conversation.launch import learnt_by_failing, learnt_by_sending, may_take
from relay.core.conversation.signature import signed, signs
from relay.core.errors import FINAL, CannotCarry, SendError
from relay.core.explain.causes import Cause
from relay.core.languages import phrase
from relay.core.mailbox import Attempt, Claim, Verdict
from relay.core.messages import Media, Message
from relay.core.retry import OUR_OWN, Decision, backoff, decide
from relay.core.templates.listed import ListedTemplate
from relay.core.threads import THREAD_CONTROL, ThreadControl, ThreadFact, after_control
from relay.runtime.actor import RelayActor, tell
from relay.runtime.calls import counted
from relay.runtime.commands import Claimed, ClaimRequest, Dispatch, Freed, Outcome, Ref, SendReport, ShowPresence
from relay.runtime.context import Parts
from relay.runtime.side import Side
from relay.stores.objects import LONGEST_LINK

log = structlog.get_logger(__name__)

TAKEN = phrase("the conversation was taken over first")
SHOWN_SECONDS = 2.0
"""So long a message that Genesys took may be missing from what it tells of the conversation."""


class SenderActor(RelayActor):
    def __init__(self, parts: Parts, side: Side, channel: Ref) -> None:
        super().__init__()
        self._parts = parts
        self._side = side
        self._channel = channel
        self._dispatch: Dispatch | None = None
        self._request: Request | None = None
        self._claimed = False
        self._thread: ThreadFact | None = None
        """What the calls of this dispatch said about who answers the contact."""
        self._took = False
        self._began = 0.0
        """Unix seconds at which the call began, or was given up before."""
        self._unclaimed = UnclaimedCalls(parts, side)

    def handle(self, command: Any) -> None:
        if isinstance(command, Dispatch):
            self._begin(command)
        elif isinstance(command, Claimed):
            self._go_on(command)
        elif isinstance(command, (SendReport, ShowPresence)):
            self._free(called=True, error=self._unclaimed.call(command))
        else:
            super().handle(command)

    def recover(self) -> None:
        """Something unforeseen. After the claim the call may have gone out; before it, the message is at fault."""
        dispatch, claimed, self._dispatch, self._request = self._dispatch, self._claimed, None, None
        error = SendError("unknown", "internal_error", phrase("the relay itself failed; its log says where"))
        if dispatch is not None and claimed:
            self._settle_error(dispatch, error, time.monotonic())
        elif dispatch is not None:
            self._end_without_call(dispatch, "dead", error)
        self._unclaimed.give_up()
        self._free(called=claimed, error=error)

    def on_stop(self) -> None:
        """Its claim will not be asked for any more: whoever waits for it hears so."""
        dispatch, self._dispatch = self._dispatch, None
        if dispatch is not None:
            tell(dispatch.conversation, NotClaimed(dispatch.job.message_id))
            self._parts.call_ends()

    # Before the claim

    def _begin(self, dispatch: Dispatch) -> None:
        self._dispatch, self._claimed, self._thread, self._took = dispatch, False, None, dispatch.job.took
        job, self._began = dispatch.job, even_clock.now()
        traced.wait_ended(job, self._side, dispatch.waited_since)
        try:
            self._request = self._render(job)
        except CannotCarry as error:
            self._end_without_call(dispatch, "failed", error)
            self._dispatch = None
            self._free(called=False)
            return
        claim = Claim(job.message_id, job.shard, job.epoch, job.attempt)
        self._parts.call_begins()
        tell(self._parts.journal, ClaimRequest(claim, self.actor_ref))

    def _render(self, job: DispatchJob) -> Request:
        languages = self._languages(job)

        def render(message: Message) -> Request:
            media = message.media
            url = None if media is None else self._media_url(media, job.direction)
            return self._side.channel.render(message, job.message_id, job.to, self._side.account, url, languages)

        return in_some_form(render, self._signed(job))

    def _signed(self, job: DispatchJob) -> Message:
        """With the agent's name, where the line shows it and it is known now: nobody is asked for it here."""
        style, tenant_id = self._side.account.settings.get("agent_name"), self._side.account.tenant_id
        if job.direction != "outbound" or not style or not signs(job.message, style):
            return job.message
        agent = self._parts.agents.of(tenant_id, job.conversation_id)
        return signed(job.message, agent, style) if agent is not None else job.message

    def _languages(self, job: DispatchJob) -> Sequence[ListedTemplate]:
        """Of a template on its way to the phone, what is known of it: memory or Redis, and else nothing."""
        if job.direction != "outbound":
            return ()
        template, native = job.message.template, job.message.native
        name = template.name if template is not None else None
        if native is not None and self._side.channel.catalogue is not None:
            name = self._side.channel.catalogue.named(native)
        return self._parts.templates.of_name(self._side.account.tenant_id, name) if name else ()

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

    def _end_without_call(self, dispatch: Dispatch, state: str, error: CannotCarry | SendError) -> None:
        job = dispatch.job
        verdict = Verdict(job.message_id, job.epoch, job.attempt - 1, state, even_clock.now(), error.code, error.text)
        self._tell_journal(dispatch, None, verdict=verdict)

    # The call

    def _go_on(self, claimed: Claimed) -> None:
        dispatch, request = self._dispatch, self._request
        if dispatch is None or request is None or dispatch.job.message_id != claimed.message_id:
            return
        try:
            if claimed.granted:
                self._claimed = True
                self._call(dispatch, request, claimed.started)
            else:
                tell(dispatch.conversation, NotClaimed(dispatch.job.message_id))
                self._free(called=False)
        finally:
            self._parts.call_ends()
        self._dispatch, self._request, self._claimed = None, None, False

    def _call(self, dispatch: Dispatch, request: Request, started: float) -> None:
        deadline, self._began = started + self._parts.limits.request, even_clock.now()
        found = found_there(self._parts, self._side, dispatch.job, min(deadline, started + LOOK_SECONDS))
        if found is not None:
            metrics.repeats_spared.inc()
            self._settle_sent(dispatch, found, how=FOUND)
            self._free(called=True)
            return
        try:
            if dispatch.job.take:
                self._take_over(dispatch.job, deadline)
            sent = self._send(request, deadline)
        except SendError as error:
            self._settle_error(dispatch, error, deadline)
            self._free(called=error.code not in OUR_OWN, error=error)
        else:
            self._settle_sent(dispatch, sent, how=TAKEN if dispatch.job.take else None)
            self._free(called=True)

    def _send(self, request: Request, deadline: float, call: str = "message") -> Sent:
        with counted(self._side, call):
            return self._side.channel.send(
                request, self._side.account, deadline, before_send=lambda: self._may_send(deadline)
            )

    def _take_over(self, job: DispatchJob, deadline: float) -> None:
        """Take the thread from whoever answers the contact, before the message: once for each.

        A refusal, or no clear answer, is no reason to hold the message back: whose the thread is decides Meta, with it.
        Raises SendError where nothing has happened yet.
        """
        control = ThreadControl("take")
        message = replace(job.message, type=THREAD_CONTROL, control=control)
        try:
            take = self._side.channel.render(message, job.message_id, job.to, self._side.account, None)
            self._send(take, deadline, "take_over")
            self._thread = after_control(control, even_clock.now())
        except SendError as error:
            if error.fate == "unknown":
                self._thread = ThreadFact("unknown", even_clock.now())
            elif error.fate not in FINAL:
                raise
            log.info("thread_not_taken", message_id=job.message_id, code=error.code, fate=error.fate)
        self._took = True

    def _may_send(self, deadline: float) -> None:
        """The last look before the first byte: a claim is worth nothing after its deadline or lease."""
        self._parts.lease.check()
        if time.monotonic() >= deadline:
            raise SendError("retry", "claim_too_old", phrase("the call did not begin within its deadline"))

    # How it ended

    def _settle_sent(self, dispatch: Dispatch, sent: Sent, how: str | None = None) -> None:
        job, now = dispatch.job, even_clock.now()
        line_id, provider_id = self._side.account.line_id, sent.provider_id or None
        attempt = Attempt(job.message_id, line_id, job.attempt, "sent", now, provider_id, sent.status, detail=how)
        metrics.seconds.labels(job.direction).observe(max(0.0, now - job.arrived_at))
        # WhatsApp names the recipient in every answer: what is known already would only be locked and looked for.
        news = tuple(name for name in sent.aliases if name not in (job.to.wa_id, job.to.bsuid))
        self._thread = learnt_by_sending(job, now) or self._thread
        self._tell_journal(
            dispatch, attempt, sent=attempt, genesys_conversation_id=sent.genesys_conversation_id, aliases=news
        )

    def _settle_error(self, dispatch: Dispatch, error: SendError, deadline: float) -> None:
        job, now = dispatch.job, even_clock.now()
        take = self._has_to_take(job, error)
        decision = Decision("retry", backoff(1), counts=False) if take else self._decide(job, error, now)
        message = None
        self._thread = learnt_by_failing(job, error, self._cause(error), now) or self._thread
        if decision.next == "failed":
            message = self._in_another_form(job, error)
            decision = Decision("retry", counts=False) if message else decision
        failures, first = job.failures, job.first_failure
        if decision.counts:
            failures, first = failures + 1, first or time.monotonic()
        attempt = Attempt(
            job.message_id, self._side.account.line_id, job.attempt, error.fate, now, None, error.status, error.code,
            error.text, error.trace_id, error.answer,
        )  # fmt: skip
        verdict = self._verdict(job, decision, error, deadline)
        facts = DispatchFacts(failures, first, message, self._took, take or (job.take and not self._took))
        self._tell_journal(dispatch, attempt, verdict=verdict, facts=facts)

    def _cause(self, error: SendError) -> Cause:
        return self._side.channel.cause(error.code)

    def _has_to_take(self, job: DispatchJob, error: SendError) -> bool:
        """Somebody else has the thread, which nobody here knew. Told with the facts: a clock ahead of ours may have
        said later that the thread is the line's."""
        elsewhere = job.direction == "outbound" and self._cause(error) == "elsewhere"
        return elsewhere and not self._took and may_take(self._side.account.settings, job.message)

    def _decide(self, job: DispatchJob, error: SendError, now: float) -> Decision:
        works = job.first_failure is not None and self._side.breaker.last_success > job.first_failure
        return decide(error, job.failures + 1, now - job.arrived_at, works)

    def _in_another_form(self, job: DispatchJob, error: SendError) -> Message | None:
        form = after_refusal(job.message, error)
        if form is not None:
            messages.save_content(self._parts.pool, job.message_id, form.message, (form.event, form.why))
        return form.message if form is not None else None

    def _verdict(self, job: DispatchJob, decision: Decision, error: SendError, deadline: float) -> Verdict:
        now, again_at, unknown_until = even_clock.now(), None, None
        if decision.next == "retry":
            again_at = now + decision.delay
        elif decision.next == "unknown":
            unknown_until = self._unknown_until(job, now, decision.delay, deadline)
        state = "received" if decision.next == "retry" else decision.next
        return Verdict(
            job.message_id, job.epoch, job.attempt, state, now, error.code, error.text, again_at, unknown_until
        )

    def _unknown_until(self, job: DispatchJob, now: float, delay: float, deadline: float) -> float:
        """WhatsApp will tell by a status that bears our id. Genesys tells when it is asked, a moment later.

        Of a thread nobody tells anything.
        """
        if job.message.type == THREAD_CONTROL:
            return now
        if job.direction == "inbound":
            return now + (max(delay, SHOWN_SECONDS) if job.to.genesys_conversation_known else delay)
        return now + max(0.0, deadline - time.monotonic()) + self._parts.limits.unknown_outcome

    def _tell_journal(self, dispatch: Dispatch, attempt: Attempt | None, **how: Any) -> None:
        job, line_id = dispatch.job, self._side.account.line_id
        outcome = Outcome(
            dispatch.conversation, job.conversation_id, job.message_id, line_id, attempt, thread=self._thread, **how
        )
        tell(self._parts.journal, outcome)
        traced.call_ended(job, self._side, self._began, outcome)

    def _free(self, *, called: bool, error: Exception | None = None) -> None:
        tell(self._channel, Freed(self.actor_ref, called, error))
