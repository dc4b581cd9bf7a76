"""Canned responses with a layout, and templates that WhatsApp has approved.

Source: SDK model ConversationContentNotificationTemplate ("namespace@name"), a real webhook's
`content[].template`.
"""

from __future__ import annotations

import re
from typing import Any

from relay.channels.genesys import attached, convention, template_command
from relay.channels.genesys.drafts import ElementContent
from relay.channels.genesys.quick_replies import answer
from relay.channels.http.reading import first, joined, record, records
from relay.channels.text import clean
from relay.core.content import Option, Parameter, Template

NAMESPACE = "whatsapp@"
"""Of a template's id, before the name that it has at Meta."""
UNTOLD = "https:"
"""The address of a link that only the template itself knows."""


def notification(body: Any) -> ElementContent:
    """Filled in by us where Genesys has not done so."""
    template = record(record(body).get("template")) or record(body)
    if (clean(template.get("id")) or "").lower().startswith(NAMESPACE):
        return _template(template)
    header, said = record(template.get("header")), _filled(template.get("body"))
    buttons = [(_option(button), button) for button in records(template.get("buttons"))]
    lines = [_line(button) for option, button in buttons if option is None]
    whole = (
        said if convention.begins(said) else joined((_filled(header), said, _filled(template.get("footer")), *lines))
    )
    return ElementContent(
        text=whole,
        media=attached.header(header.get("media"), optional=True),
        options=tuple(option for option, _ in buttons if option),
        card=True,
    )


def _template(template: dict[str, Any]) -> ElementContent:
    """Its text is shown to colleagues only: what the customer reads is what Meta has approved."""
    header = record(template.get("header"))
    buttons = _by_index(template.get("buttons"))
    shown = (_filled(section) for section in (header, template.get("body"), template.get("footer")))
    return ElementContent(
        text=joined(shown) or str(clean(template.get("id"))),
        media=attached.header(header.get("media"), optional=False),
        options=tuple(_placed(button) for button in buttons),
        template=_read(template, header, buttons),
        templated=True,
    )


def _read(template: dict[str, Any], header: dict[str, Any], buttons: list[dict[str, Any]]) -> Template | None:
    name = (clean(template.get("id")) or "")[len(NAMESPACE) :].strip()
    language = (clean(template.get("language")) or "").strip().replace("-", "_")
    if not template_command.is_name(name) or not template_command.is_language(language):
        return None
    links = ((place, button) for place, button in enumerate(buttons) if _placed(button).url)
    urls = ((place, clean(first(button.get("parameters")).get("text"))) for place, button in links)
    return Template(
        name=name,
        language=language,
        body=_parameters(template.get("body")),
        header=_parameters(header),
        urls=tuple((place, text) for place, text in urls if text),
    )


def _parameters(section: Any) -> tuple[Parameter, ...]:
    """Numbered ones in the order of their numbers, named ones by their names."""
    found = [(clean(each.get("name")) or "", clean(each.get("text")) or "") for each in _given(section)]
    if all(re.fullmatch(r"[0-9]{0,3}", name) for name, _ in found):
        return tuple(Parameter(text) for _, text in sorted(found, key=lambda pair: int(pair[0] or 0)))
    return tuple(Parameter(text, name or None) for name, text in found)


def _filled(section: Any) -> str:
    text = clean(record(section).get("text")) or ""
    values = {clean(each.get("name")): clean(each.get("text")) or "" for each in _given(section)}
    return re.sub(r"\{\{\s*([^{}\s]{1,100})\s*\}\}", lambda match: values.get(match[1], match[0]), text)


def _given(section: Any) -> list[dict[str, Any]]:
    return list(records(record(section).get("parameters")))


def _by_index(buttons: Any) -> list[dict[str, Any]]:
    """In the template's own order, by which Meta counts them too."""
    found = list(records(buttons))
    places = [button.get("index") for button in found]
    if all(isinstance(place, int) and not isinstance(place, bool) for place in places):
        return sorted(found, key=lambda button: int(button["index"]))
    return found


def _option(button: dict[str, Any]) -> Option | None:
    """A link or an answer; None for what has to stand in the text."""
    url = _address(button)
    if attached.is_web(url):
        return Option((clean(button.get("text")) or "").strip() or url, kind="button", url=url)
    return None if url or clean(button.get("phoneNumber")) else answer(button, "button")


def _placed(button: dict[str, Any]) -> Option:
    """Every button has its place in a template, whatever is in it."""
    phone = clean(button.get("phoneNumber"))
    text = (clean(button.get("text")) or "").strip() or phone or "…"
    kind = (clean(button.get("type")) or "").lower()
    if phone or kind == "phonenumber":
        return Option(text, kind="button", url=f"tel:{phone or ''}")
    if clean(button.get("url")) or kind == "url":
        return Option(text, kind="button", url=clean(button.get("url")) or UNTOLD)
    return Option(text, clean(button.get("payload")) or text, "button")


def _line(button: dict[str, Any]) -> str:
    return joined((button.get("text"), clean(button.get("phoneNumber")) or _address(button)), ": ")


def _address(button: dict[str, Any]) -> str:
    """Of a link, with what completes it: unlike an approved template, nobody else fills it in."""
    return _filled({"text": button.get("url"), "parameters": button.get("parameters")})
