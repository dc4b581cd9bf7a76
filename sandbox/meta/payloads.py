"""Webhook bodies as Meta writes them."""

import base64
import json
from typing import Any

from sandbox.accounts import Number
from sandbox.meta.entry import ThreadMessage
from sandbox.meta.media import MediaItem
from sandbox.meta.thread import Phone
from sandbox.webhooks.update import WebhookUpdate


def envelope(updates: list[WebhookUpdate]) -> bytes:
    """One body for many updates: an entry per WABA, a change per number and kind, in the order of their coming."""
    entries: dict[str, dict[tuple[str, str, str], dict[str, Any]]] = {}
    for update in updates:
        part = update.payload
        if "value" in part:  # news of the account, each a change of its own
            changes = entries.setdefault(part["waba_id"], {})
            changes["", str(len(changes)), part["field"]] = part["value"]
            continue
        changes = entries.setdefault(part["waba_id"], {})
        if "value" in part:
            changes[(part["metadata"]["phone_number_id"], f"whole {len(changes)}", part["field"])] = part["value"]
            continue
        value = changes.setdefault(
            (part["metadata"]["phone_number_id"], part["kind"], part["field"]),
            {"messaging_product": "whatsapp", "metadata": part["metadata"], "contacts": [], part["kind"]: []},
        )
        if part["contact"] is not None and part["contact"] not in value["contacts"]:
            value["contacts"].append(part["contact"])
        value[part["kind"]].append(part["item"])
    return _dump(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": waba_id,
                    "changes": [{"value": _without_empty(value), "field": key[2]} for key, value in changes.items()],
                }
                for waba_id, changes in entries.items()
            ],
        }
    )


def part(
    number: Number, kind: str, item: dict[str, Any], contact: dict[str, Any] | None, field: str = "messages"
) -> dict[str, Any]:
    return {
        "field": field,
        "waba_id": number.waba_id,
        "kind": kind,
        "item": item,
        "contact": contact,
        "metadata": metadata(number),
    }


def whole(number: Number, field: str, value: dict[str, Any]) -> dict[str, Any]:
    """A change of its own: what stands beside its items belongs to them alone."""
    return {"field": field, "waba_id": number.waba_id, "value": value, "metadata": metadata(number)}


def metadata(number: Number) -> dict[str, Any]:
    return {"display_phone_number": number.digits, "phone_number_id": number.phone_number_id}


def contact(phone: Phone, *, with_username: bool = True) -> dict[str, Any]:
    profile = {"name": phone.name} | ({"username": phone.username} if phone.username and with_username else {})
    return {"profile": profile} | ({} if phone.hide_phone else {"wa_id": phone.wa_id}) | {"user_id": phone.user_id}


def status(
    entry: ThreadMessage,
    phone: Phone,
    name: str,
    timestamp: int,
    errors: list[dict[str, Any]],
    free_until: int = 0,
    pricing: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """`free_until`: until then (Unix seconds) the business may write freely, after an ad; 0: no such."""
    item: dict[str, Any] = {"id": entry.id, "status": name, "timestamp": str(timestamp)}
    if entry.addressed_by != "user_id":
        item["recipient_id"] = phone.wa_id
    item["recipient_user_id"] = phone.user_id
    if entry.opaque is not None:
        item["biz_opaque_callback_data"] = entry.opaque
    if pricing is not None:
        item["pricing"] = pricing
    if free_until > timestamp:
        item["conversation"] = {"expiration_timestamp": str(free_until)}
    if errors:
        item["errors"] = [
            {
                "code": each["code"],
                "title": each["title"],
                "message": each["title"],
                "error_data": {"details": each["details"]},
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }
            for each in errors
        ]
    return item


def media_object(item: MediaItem, url: str) -> dict[str, Any]:
    """The webhook's form: the digest is base64 here and hex in the media object."""
    digest = base64.b64encode(bytes.fromhex(item.blob.sha256)).decode()
    return {"id": item.id, "mime_type": item.mime_type, "sha256": digest, "url": url}


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if each != []}


def _dump(body: dict[str, Any]) -> bytes:
    """Non-ASCII, slashes and @ are escaped on the wire, and the signature covers the escaped form."""
    text = json.dumps(body, separators=(",", ":"))
    return text.replace("/", "\\/").replace("@", "\\u0040").encode()
