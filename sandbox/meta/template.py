"""Does what is sent fit the template that Meta has approved? Checked at once, with Meta's codes.

Lengths of parameters: 60 characters in a header; 1024 in a body that has company, 32768 in one that has none.
"""

import re
import time

from sandbox.accounts import Number
from sandbox.meta.approved import ApprovedTemplate, TemplateButton, filled, placeholders
from sandbox.meta.errors import GraphError
from sandbox.meta.template_request import Component, Filling, ParameterObject, TemplateObject

_TEXTS = ("text", "currency", "date_time")
_STATUS = {"PAUSED": 132015, "DISABLED": 132016}
_SUB_TYPES = {"QUICK_REPLY": "quick_reply", "URL": "url", "COPY_CODE": "copy_code"}


def check_template(number: Number, template: TemplateObject, to_user_id: bool) -> ApprovedTemplate:
    approved = _approved(number, template)
    if to_user_id and approved.category == "AUTHENTICATION":
        raise GraphError(131062, "Authentication templates cannot be sent to a business-scoped user id.")
    _check_filling(approved, template, "")
    _check_further(approved, template)
    return approved


def _check_filling(approved: ApprovedTemplate, given: Filling, owner: str) -> None:
    """A whole template, or a card of one as if it were one; `owner` is the card's place, as "card 0: "."""
    seen = [(each.type, each.index) for each in given.components]
    if len(set(seen)) < len(seen):
        raise GraphError(100, f"{owner}Param template['components']: a component is given twice.")
    _check_header(approved, given.parameters("header"), owner)
    longest = 160 if owner else 32768 if approved.only_body else 1024
    _check_texts(approved, f"{owner}body", approved.body, given.parameters("body"), longest)
    _check_buttons(approved, given)


def _approved(number: Number, template: TemplateObject) -> ApprovedTemplate:
    wanted = (template.name, template.language.code)
    found = next((each for each in number.templates if (each["name"], each["language"]) == wanted), None)
    approved = ApprovedTemplate.model_validate(found) if found else None
    if approved is None or approved.status in ("PENDING", "REJECTED"):
        raise GraphError(132001, f"template name ({template.name}) does not exist in {template.language.code}")
    if approved.status != "APPROVED":
        raise GraphError(_STATUS[approved.status], f"template {template.name} is {approved.status.lower()}")
    return approved


def _check_header(approved: ApprovedTemplate, given: list[ParameterObject], owner: str) -> None:
    header = approved.header
    if header is None or header.format == "TEXT":
        _check_texts(approved, "header", header.text if header else "", given, 60)
        return
    received = given[0].type.upper() if given else "UNKNOWN"
    if len(given) != 1 or received != header.format or given[0].value is None:
        raise GraphError(132012, f"{owner}header: Format mismatch, expected {header.format}, received {received}")


def _check_texts(approved: ApprovedTemplate, where: str, text: str, given: list[ParameterObject], limit: int) -> None:
    expected = placeholders(text)
    for each in given:
        if each.type not in _TEXTS:
            raise GraphError(132012, f"{where}: Format mismatch, expected TEXT, received {each.type.upper()}")
    if len(given) != len(expected):
        raise GraphError(
            132000,
            f"{where}: number of localizable_params ({len(given)}) does not match the expected number "
            f"of params ({len(expected)})",
        )
    if approved.parameter_format == "NAMED":
        _check_names(where, expected, given)
    for each in given:
        _check_value(where, str(each.value or ""), limit)


def _check_names(where: str, expected: list[str], given: list[ParameterObject]) -> None:
    if not all(each.parameter_name for each in given):
        raise GraphError(100, "Parameter name is missing or empty")
    if sorted(str(each.parameter_name) for each in given) != sorted(expected):
        raise GraphError(132012, f"{where}: the parameters' names are not {', '.join(expected)}")


def _check_value(where: str, value: str, limit: int) -> None:
    if not value:
        raise GraphError(131008, "Parameter of type text is missing text value")
    if re.search(r"[\n\r\t]| {4,}", value):
        raise GraphError(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    if len(value) > limit:
        raise GraphError(132005, f"{where}: a parameter has {len(value)} characters, at most {limit} are allowed")


def _check_buttons(approved: ApprovedTemplate, template: Filling) -> None:
    for component in template.components:
        if component.type == "button":
            _check_button(approved, component)
    for index, button in enumerate(approved.buttons):
        if button.type == "URL" and placeholders(button.url) and template.button(index) is None:
            raise GraphError(131008, f"buttons: Button at index {index} of type Url requires a parameter")


def _check_button(approved: ApprovedTemplate, component: Component) -> None:
    if component.index is None:
        raise GraphError(131008, "The parameter template['components']['index'] is required for a button.")
    if component.index >= len(approved.buttons):
        raise GraphError(132000, f"buttons: there is no button at index {component.index}")
    button, given = approved.buttons[component.index], component.parameters
    if component.sub_type != _SUB_TYPES.get(button.type):
        raise GraphError(132012, f"buttons: Button at index {component.index} is of type {button.type}")
    if button.type == "URL":
        _check_texts(approved.model_copy(update={"parameter_format": "POSITIONAL"}), "buttons", button.url, given, 2000)
    elif button.type == "QUICK_REPLY" and (len(given) != 1 or given[0].type != "payload" or not given[0].value):
        raise GraphError(131008, f"buttons: Button at index {component.index} of type QuickReply needs one payload")


def _check_further(approved: ApprovedTemplate, template: TemplateObject) -> None:
    """A carousel's cards, and when an offer ends."""
    given = next((each.cards or [] for each in template.components if each.type == "carousel"), [])
    if sorted(each.card_index for each in given) != list(range(len(approved.cards))):
        raise GraphError(132012, f"carousel: {len(given)} cards were given, the template has {len(approved.cards)}")
    for each in given:
        card = approved.cards[each.card_index]
        alone = approved.model_copy(update={"header": card.header, "body": card.body, "buttons": card.buttons})
        if any(one.type in ("carousel", "limited_time_offer") for one in each.components):
            raise GraphError(100, f"card {each.card_index}: holds what only a whole template may hold")
        _check_filling(alone, each, f"card {each.card_index}: ")
    ends = [each.value for each in template.parameters("limited_time_offer")]
    expires = approved.offer is not None and approved.offer.has_expiration
    if len(ends) != int(expires) or None in ends:
        raise GraphError(131008 if expires else 132012, "limited_time_offer: expiration_time_ms is required, once")
    if ends and ends[0].expiration_time_ms < time.time() * 1000:
        raise GraphError(131009, "limited_time_offer: expiration_time_ms is in the past")


def values(template: Filling, component: str) -> dict[str, str]:
    """By placeholder: its name, or its number from 1."""
    given = template.parameters(component)
    return {each.parameter_name or str(place): str(each.value) for place, each in enumerate(given, 1)}


def address(template: Filling, index: int, button: TemplateButton) -> str:
    component = template.button(index)
    given = [str(each.value) for each in component.parameters] if component else []
    return filled(button.url, dict(zip(placeholders(button.url), given, strict=False)))


def payload(template: Filling, index: int, button: TemplateButton) -> str:
    """What a tap reports; the button's text where the sender gave none."""
    component = template.button(index)
    return str(component.parameters[0].value) if component else button.text
