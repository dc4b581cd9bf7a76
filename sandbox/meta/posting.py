"""Hands a webhook's update to the outbox, if anybody subscribed to its field."""

from typing import TYPE_CHECKING, Any

from sandbox.accounts import Number
from sandbox.webhooks.update import Callback, DeliveryState, WebhookUpdate

if TYPE_CHECKING:
    from sandbox.meta.thread import Thread
    from sandbox.world import World


def post(
    world: "World",
    number: Number,
    thread: "Thread",
    kind: str,
    stamp: str,
    payload: dict[str, Any],
    on_delivered: Any = None,
) -> DeliveryState:
    """Updates of one kind and thread keep their order. `payload`: payloads.part or payloads.whole."""
    url, app = world.accounts.callback_of(number), world.accounts.app_of(number)
    if url is None or payload["field"] not in app.fields:
        world.webhook_counts("meta")["unsubscribed"] += 1
        return DeliveryState(state="no webhook subscribed" if url is None else "field not subscribed")
    update = WebhookUpdate(
        Callback("meta", url, app.app_secret),
        f"{number.phone_number_id}|{thread.phone.wa_id}|{kind}",
        stamp,
        payload,
        on_delivered=on_delivered,
    )
    world.meta_outbox.emit(update)
    return update.track
