"""What Meta tells of a template: the template changes as told, and the webhook goes to the app's own address.

Source: Meta's webhook references of the four template fields; override addresses carry none of them.
"""

from typing import Any, Literal

from pydantic import Field

from sandbox.accounts import Number
from sandbox.clock import unix_seconds
from sandbox.meta.strict import MetaObject
from sandbox.meta.template_list import template_id
from sandbox.webhooks.update import Callback, WebhookUpdate
from sandbox.world_access import current


class TemplateChange(MetaObject):
    """`status`, `quality` and `category` change the template at once; `announced_category` only announces."""

    phone_number_id: str
    name: str
    language: str
    status: str | None = None
    reason: str | None = None
    other_info: dict[str, str] | None = None
    rejection_info: dict[str, str] | None = None
    quality: Literal["GREEN", "YELLOW", "RED", "UNKNOWN"] | None = None
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] | None = None
    announced_category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] | None = None
    detected_category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] | None = None
    body: str | None = Field(default=None, min_length=1)


def change(number: Number, template: dict[str, Any], told: TemplateChange) -> int:
    """Change the template, and tell so. Returns how many webhooks were sent."""
    before = dict(template)
    given = {name: getattr(told, name) for name in ("status", "quality", "category", "body")}
    template.update({name: value for name, value in given.items() if value is not None})
    values = [*_of_state(told, before), *_of_category(told, before)]
    for field, value in values:
        _emit(number, field, _named(before) | value)
    current().events.changed("settings")
    return len(values)


def _of_state(told: TemplateChange, before: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    if told.status is not None:
        status = {"event": told.status, "reason": told.reason or "NONE"}
        status |= {"message_template_category": before.get("category", "UTILITY")}
        more = {"other_info": told.other_info, "rejection_info": told.rejection_info}
        found.append(("message_template_status_update", status | {key: one for key, one in more.items() if one}))
    if told.quality is not None:
        scores = {"previous_quality_score": before.get("quality", "UNKNOWN"), "new_quality_score": told.quality}
        found.append(("message_template_quality_update", scores))
    if told.body is not None:
        found.append(("message_template_components_update", {"message_template_element": told.body}))
    return found


def _of_category(told: TemplateChange, before: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    now = before.get("category", "UTILITY")
    found: list[tuple[str, dict[str, Any]]] = []
    if told.category is not None:
        found.append(("template_category_update", {"previous_category": now, "new_category": told.category}))
    if told.announced_category is not None:
        due = {"category_update_timestamp": unix_seconds() + 86_400}
        announced = {"correct_category": told.announced_category, "new_category": now}
        found.append(("template_category_update", announced | due))
    if told.detected_category is not None:
        detected = {"category": now, "correct_category": told.detected_category}
        found.append(("template_correct_category_detection", detected))
    return found


def _named(template: dict[str, Any]) -> dict[str, Any]:
    return {
        "message_template_id": int(template_id(template["name"], template["language"])),
        "message_template_name": template["name"],
        "message_template_language": template["language"],
    }


def _emit(number: Number, field: str, value: dict[str, Any]) -> None:
    world, app = current(), current().accounts.app_of(number)
    if app.callback_url is None or not world.accounts.wabas[number.waba_id].subscribed:
        world.webhook_counts("meta")["unsubscribed"] += 1
        return
    payload = {"waba_id": number.waba_id, "field": field, "value": value}
    callback = Callback("meta", app.callback_url, app.app_secret)
    world.meta_outbox.emit(WebhookUpdate(callback, f"{number.waba_id}|templates", str(unix_seconds()), payload))
