"""`relay dead-letters`: what was given up, why, and sending it again. Everything comes back as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from conf.settings import Settings
from db import audit
from db.audit import Author
from db.mailbox import dead_letters, replays
from db.mailbox.dead_letters import DeadLetterSelection
from db.mailbox.replays import ReplayJob
from db.pool import Pool
from db.tenants.changes import NotFoundError
from db.tenants.signers import Signers
from db.views import history
from relay.broker.dead_letters import MOST_SEEN, DeadLetters, route
from relay.broker.publisher import Publisher
from relay.clients import build_cipher, build_ours
from relay.core.explain.steps import Tracked

BY = Author("command line")
PUBLISH_SECONDS = 10.0


def lines(settings: Settings, tenant_id: str | None, limit: int) -> Iterator[str]:
    """The newest dead letters."""
    with Pool(settings.database_url, size=1) as pool:
        found = dead_letters.listed(pool, DeadLetterSelection(tenant_id), limit)
    for one in found.items:
        yield _line(one)
    yield f"{len(found.items)} shown, {'and there are more' if found.next else 'and that is all'}"


def _line(one: Tracked) -> str:
    at = one.arrived_at.isoformat(timespec="seconds")
    return f"{one.id}  {at}  {one.direction:<8}  {one.type:<10}  {one.reason_code or '-'}: {one.reason or ''}"


def story(settings: Settings, message_id: str) -> Iterator[str]:
    """Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        found = history.get(pool, None, message_id)
        if found is None:
            raise NotFoundError(f"there is no message {message_id}")
        with pool.transaction() as cursor:
            tenant_id = found.message.tenant_id
            audit.record(cursor, BY, "message.viewed", tenant_id=tenant_id, subject=message_id)
    one = found.message
    yield _line(one)
    yield f"state {one.state}, tenant {one.tenant_id}, line {one.line_id}, conversation {one.conversation_id}"
    for step in found.steps:
        yield f"{step.at.isoformat(timespec='milliseconds')}  {step.name}: {step.text}"
    for call in found.attempts:
        told = (call.outcome or "no word", call.http_status, call.code, call.detail)
        yield f"call {call.n}: {' '.join(str(one) for one in told if one is not None)}"
    for happening in found.history:
        yield f"{happening.at.isoformat(timespec='milliseconds')}  {happening.event}: {happening.detail or ''}"


def replay(settings: Settings, ids: Sequence[str]) -> Iterator[str]:
    """Those named, in slices."""
    with Pool(settings.database_url, size=1) as pool:
        for begin in range(0, len(ids), dead_letters.AT_ONCE):
            done = dead_letters.replay(pool, BY, None, ids[begin : begin + dead_letters.AT_ONCE])
            for message_id, why in done.refused.items():
                yield f"{message_id} left as it is: {why}"
            yield f"{len(done.replayed)} on the way again"


def begin(settings: Settings, wanted: DeadLetterSelection) -> Iterator[str]:
    """All that match, by the daemons. Raises NotFoundError and TakenError."""
    with Pool(settings.database_url, size=1) as pool:
        begun = replays.start(pool, BY, wanted)
    yield _progress(begun)
    yield "the daemons send them; see how far they are with `relay dead-letters replays`"


def cancel(settings: Settings, replay_id: str) -> Iterator[str]:
    """Raises NotFoundError."""
    with Pool(settings.database_url, size=1) as pool:
        yield _progress(replays.cancel(pool, BY, None, replay_id))


def replays_lines(settings: Settings, tenant_id: str | None, limit: int) -> Iterator[str]:
    """The newest replays, and how far they are."""
    with Pool(settings.database_url, size=1) as pool:
        found = replays.listed(pool, tenant_id, limit)
    for one in found.items:
        yield _progress(one)
    yield f"{len(found.items)} shown, {'and there are more' if found.next else 'and that is all'}"


def _progress(one: ReplayJob) -> str:
    at = one.started_at.isoformat(timespec="seconds")
    return (
        f"{one.id}  {at}  {one.state:<9}  {one.put_back} of {one.total} put back: {one.carried} carried, "
        f"{one.failed_again} failed again, {one.under_way} on their way  (tenant {one.tenant_id}, by {one.started_by})"
        f"{f'  the last step failed: {one.failure}' if one.failure else ''}"
    )


def reasons(settings: Settings, tenant_id: str | None) -> Iterator[str]:
    """Why dead letters are, the most frequent first, with what was said last."""
    with Pool(settings.database_url, size=1) as pool:
        found = dead_letters.reasons(pool, DeadLetterSelection(tenant_id))
        for one in found:
            yield f"{one.count:>6}  {one.code or '-'}: {one.text}"
        if not found:
            yield "no message was given up"


def undecoded(settings: Settings, limit: int) -> Iterator[str]:
    """Updates in the broker's queue DEAD_LETTERS, which stay there."""
    queue = DeadLetters(settings.broker_url)
    waiting = queue.count()
    found = queue.peek(limit)
    for letter in found:
        way = route(letter.body, settings.relay_shards, lambda _: True)
        yield f"{len(letter.body)} bytes, {f'for {way.exchange}' if way else 'for nobody knows whom'}: {letter.reason}"
    yield f"{len(found)} shown, {waiting} in the queue"


def bring_back(settings: Settings) -> Iterator[str]:
    """As many as there were when this began."""
    queue = DeadLetters(settings.broker_url)
    app_secrets = build_ours(settings).meta_app_secrets
    with closing(Publisher(settings.broker_url)) as publisher, Pool(settings.database_url, size=1) as pool:
        signers = Signers(pool, build_cipher(settings))
        gone, stayed = queue.bring_back(
            lambda letter: route(
                letter.body, settings.relay_shards, lambda update: signers.proves(update, app_secrets)
            ),
            lambda letters: publisher.publish(letters, PUBLISH_SECONDS),
            queue.count(),
        )
    yield f"{gone} back in their queues, {stayed} stay: nobody can tell where they belong, or who signed them"
    if gone + stayed >= MOST_SEEN:
        yield "there are more: say it again"
