"""`GET /{WABA_ID}/message_templates`: the approved templates of an account's numbers, as Meta lists and pages them."""

import base64
import binascii
import zlib
from typing import Any

from flask import request

from sandbox.accounts import Waba
from sandbox.gateway import ProviderAnswer
from sandbox.meta.approved import ApprovedCard, ApprovedTemplate, TemplateButton, TemplateHeader, placeholders
from sandbox.meta.errors import GraphError
from sandbox.world_access import current

FIELDS = (
    "id", "name", "language", "status", "category", "sub_category", "components", "parameter_format", "quality_score",
    "rejected_reason", "previous_category", "correct_category", "message_send_ttl_seconds", "library_template_name",
    "source", "health_status", "last_updated_time", "bid_spec",
)  # fmt: skip
DEFAULT = ("name", "parameter_format", "components", "language", "status", "category", "id")
FILTERS = ("name", "status", "language", "category", "quality_score")
MOST = 1000


def message_templates(account: Waba) -> ProviderAnswer:
    unknown = set(request.args) - {"fields", "limit", "after", "access_token", *FILTERS}
    if unknown:
        raise GraphError(100, f'Unexpected key "{min(unknown)}" on param "query".')
    wanted = [each for each in request.args.get("fields", "").split(",") if each] or list(DEFAULT)
    strange = [each for each in wanted if each not in FIELDS]
    if strange:
        raise GraphError(
            100, message=f"(#100) Tried accessing nonexisting field ({strange[0]}) on node type (template)"
        )
    found = [each for each in of_account(account) if _fits(each)]
    start, limit = _start(), _limit()
    shown = found[start : start + limit]
    paging: dict[str, Any] = {"cursors": {"before": _cursor(start), "after": _cursor(start + len(shown))}}
    if start + limit < len(found):
        paging["next"] = f"{request.base_url}?limit={limit}&after={paging['cursors']['after']}"
    data = [{name: value for name, value in node(each).items() if name in (*wanted, "id")} for each in shown]
    return ProviderAnswer({"data": data} | ({"paging": paging} if shown else {}))


def of_account(account: Waba) -> list[ApprovedTemplate]:
    """Of all its numbers, each name and language once."""
    held = {
        (each["name"], each["language"]): each
        for number in current().accounts.by_waba.get(account.waba_id, [])
        for each in number.templates
    }
    return [ApprovedTemplate.model_validate(each) for each in held.values()]


def node(template: ApprovedTemplate) -> dict[str, Any]:
    return {
        "id": template_id(template.name, template.language),
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": _components(template),
        "parameter_format": template.parameter_format,
        "quality_score": {"score": template.quality, "date": 1790000000},
        "rejected_reason": "PROMOTIONAL" if template.status == "REJECTED" else "NONE",
        "correct_category": "",
        "source": "USER",
    }


def template_id(name: str, language: str) -> str:
    return str(10**14 + zlib.crc32(f"{name}/{language}".encode()))


def _components(template: ApprovedTemplate) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if template.header is not None:
        found.append(_header(template.header))
    if template.offer is not None:
        offer = {"text": template.offer.text, "has_expiration": template.offer.has_expiration}
        found.append({"type": "LIMITED_TIME_OFFER", "limited_time_offer": offer})
    found.append({"type": "BODY", "text": template.body} | _example(template))
    if template.footer is not None:
        found.append({"type": "FOOTER", "text": template.footer})
    if template.buttons:
        found.append(_buttons(template.buttons))
    if template.cards:
        found.append({"type": "CAROUSEL", "cards": [{"components": _card(each)} for each in template.cards]})
    return found


def _header(header: TemplateHeader) -> dict[str, Any]:
    if header.format == "TEXT":
        return {"type": "HEADER", "format": "TEXT", "text": header.text}
    example = {} if header.format == "LOCATION" else {"example": {"header_handle": ["https://cdn.example/example"]}}
    return {"type": "HEADER", "format": header.format} | example


def _example(template: ApprovedTemplate) -> dict[str, Any]:
    names = placeholders(template.body)
    if not names:
        return {}
    if template.parameter_format == "NAMED":
        named = [{"param_name": name, "example": f"a {name.replace('_', ' ')}"} for name in names]
        return {"example": {"body_text_named_params": named}}
    return {"example": {"body_text": [[f"example {name}" for name in names]]}}


def _buttons(buttons: list[TemplateButton]) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": [_button(each) for each in buttons]}


def _button(button: TemplateButton) -> dict[str, Any]:
    shown = {"type": button.type, "text": button.text}
    if button.type == "URL":
        shown["url"] = button.url
    if button.type == "PHONE_NUMBER":
        shown["phone_number"] = button.phone_number
    return shown


def _card(card: ApprovedCard) -> list[dict[str, Any]]:
    found = [_header(card.header), {"type": "BODY", "text": card.body}]
    return [*found, _buttons(card.buttons)] if card.buttons else found


def _fits(template: ApprovedTemplate) -> bool:
    asked = {name: value for name in FILTERS if (value := request.args.get(name))}
    held = {
        "name": template.name, "status": template.status, "language": template.language, "category": template.category,
        "quality_score": template.quality,
    }  # fmt: skip
    return all(value in held[name] if name == "name" else value == held[name] for name, value in asked.items())


def _limit() -> int:
    given = request.args.get("limit", "25")
    if not given.isdigit() or not 1 <= int(given) <= MOST:
        raise GraphError(100, f"Param limit must be a number from 1 to {MOST}.")
    return int(given)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"sandbox:{place}".encode()).decode()


def _start() -> int:
    given = request.args.get("after")
    if given is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(given).decode().removeprefix("sandbox:"))
    except (binascii.Error, ValueError):
        raise GraphError(131059, "The cursor in after is not valid.") from None
