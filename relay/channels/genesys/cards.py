"""Cards and carousels. Source: SDK models ConversationContentCard and ConversationContentCardAction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from relay.channels.genesys.attached import is_web, picture
from relay.channels.genesys.drafts import ElementContent
from relay.channels.genesys.quick_replies import answer
from relay.channels.http.reading import joined, record, records
from relay.channels.text import clean
from relay.core.content import Option

MOST_CARDS = 10
"""In a carousel [Resource Center: Work with carousels]. What is beyond them shares one message."""


def card(body: Any) -> ElementContent:
    """Picture or film, title, description, and what can be tapped."""
    found = record(body)
    title = clean(found.get("title"))
    options, links = _actions(found)
    image, video = clean(found.get("image")), clean(found.get("video"))
    shown = picture(image, "image") or picture(video, "video")
    beside = video if is_web(video) and shown and shown.source_url != video else None
    text = joined((f"*{title.strip()}*" if title and title.strip() else None, found.get("description"), *links, beside))
    return ElementContent(text=text, media=shown, options=options, card=True)


def carousel(body: Any) -> list[ElementContent]:
    """One message for each card: WhatsApp shows several cards at once in templates only."""
    cards = [found for item in records(record(body).get("cards")) if (found := card(item))]
    if len(cards) <= MOST_CARDS:
        return cards
    rest = cards[MOST_CARDS:]
    options = tuple(chain.from_iterable(found.options for found in rest))
    return [*cards[:MOST_CARDS], replace(rest[0], text=_apart(rest), media=None, options=options)]


def _apart(cards: list[ElementContent]) -> str:
    return "\n\n".join(found.text for found in cards if found.text)


def _actions(body: dict[str, Any]) -> tuple[tuple[Option, ...], list[str]]:
    """What can be tapped, and as text the links that no phone could open."""
    options: dict[Option, None] = {}
    links = []
    for action in _all_actions(body):
        url, text = clean(action.get("url")), clean(action.get("text"))
        if is_web(url):
            options[Option((text or "").strip() or str(url), kind="button", url=url)] = None
        elif url:
            links.append(joined((text, url), ": "))
        elif found := answer(action, "button"):
            options[found] = None
    return tuple(options), links


def _all_actions(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The card's own action comes last, and only if no button does the same."""
    yield from records(body.get("actions"))
    targets = {clean(action.get("url")) for action in records(body.get("actions"))}
    default = record(body.get("defaultAction"))
    if default and (not clean(default.get("url")) or clean(default.get("url")) not in targets):
        yield default
