"""Fetches the attachments of injected messages, as Genesys would: from outside, without credentials."""

from typing import TYPE_CHECKING

import gevent
import requests
from gevent.pool import Pool

from sandbox.accounts import Integration
from sandbox.genesys.desk import DeskAttachment, DeskConversation

if TYPE_CHECKING:
    from sandbox.world import World

CEILING = 25 * 1024 * 1024
# More may wait than run: a message is answered before its attachment is here.
_running = Pool(16)


def fetch_later(
    world: "World", integration: Integration, conversation: DeskConversation, attachment: DeskAttachment
) -> None:
    if not allowed(attachment.mime, integration.inbound_types):
        attachment.state, attachment.error = "removed", "type not in the supported content profile"
        return
    gevent.spawn(lambda: _running.spawn(_fetch, world, conversation, attachment))


def allowed(mime: str, patterns: list[str]) -> bool:
    base = mime.split(";")[0].strip().lower()
    return any(
        pattern in ("*/*", base) or (pattern.endswith("/*") and base.startswith(pattern[:-1])) for pattern in patterns
    )


def _fetch(world: "World", conversation: DeskConversation, attachment: DeskAttachment) -> None:
    try:
        with requests.get(attachment.url, timeout=15, stream=True) as response:
            attachment.http_status = response.status_code
            data = response.raw.read(CEILING + 1, decode_content=True)
    except (requests.RequestException, OSError) as problem:
        attachment.state, attachment.error = "failed", f"{type(problem).__name__}: {problem}"[:200]
    else:
        _keep(world, attachment, data)
    world.stats.genesys.messages[f"attachment:{attachment.state}"] += 1
    world.events.changed("agent", conversation.contact, conversation.integration_id)


def _keep(world: "World", attachment: DeskAttachment, data: bytes) -> None:
    if attachment.http_status != 200:
        attachment.state, attachment.error = "failed", f"HTTP {attachment.http_status}"
    elif len(data) > CEILING:
        attachment.state, attachment.error = "removed", "larger than 25 MB"
    else:
        attachment.state, attachment.blob = "fetched", world.blobs.add(data)
