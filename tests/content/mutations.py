"""Webhooks as the providers send them, and the same with one thing wrong: what the tolerance test posts."""

from __future__ import annotations

import copy
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.flow.installation import Line
from tests.unit.relay.channels.recorded import recorded

Path = tuple[str | int, ...]
SEED = 4
OURS = "integration:"
LONG = ("ä" * 100_000, "1" + " " * 99_998 + "x")
"""The second is the dearest for a pattern that reads the blanks again from each of them."""
ODD = (
    *("\x00a", "\ud83db", "\u202e\u2066", "👩\u200d👩\u200d👧" * 50, "e\u0301" * 300, "\r\n\t\x1b[31m"),
    *("<script>", "  \u200b ", "null", "{{1}}"),
)
OTHERS: tuple[Any, ...] = (0, -1, 1e300, True, "", "text", [], {}, ["x", 7], {"x": {"y": []}})
MEMBERS = {
    "an object": {"of": ["a", "later", "version"]},
    "text": "nobody knows this",
    "\u0000odd": None,
    "deep": json.loads("[" * 60 + "]" * 60),
}
DIGITS = re.compile(r"[0-9]{8,}")


@dataclass(frozen=True)
class Posted:
    """A webhook with one item. `mark` stands in its ids, its line's metadata and its texts."""

    channel: str
    sample: str
    mark: str
    body: Any
    changed: Path | None
    """Where something was changed; None: nothing was."""

    @property
    def recognisable(self) -> bool:
        """Who wrote what kind of message, and its content, are as the provider wrote them."""
        return self.changed is None or not {str(step) for step in self.changed} & self._vital

    def at(self, path: Path) -> Any:
        """What stands there now; None where nothing does."""
        found = self.body
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    @property
    def still_marked(self) -> bool:
        return self.mark in json.dumps(self.body)

    @property
    def _vital(self) -> set[str]:
        if self.channel == "genesys":
            return {"id", "type", "channel", "content", "text", "events", "template"}
        item = self.body["entry"][0]["changes"][0]["value"]["messages"][0] if self._is_message() else {}
        kind = item.get("type")
        named = {"id", "from", "from_user_id", "type", "timestamp", "errors", "context", "messages", "wa_id", "user_id"}
        return named | {"entry", "changes", "value", "field", "metadata", "phone_number_id", "statuses", str(kind)}

    def _is_message(self) -> bool:
        try:
            return isinstance(self.body["entry"][0]["changes"][0]["value"]["messages"][0], dict)
        except (KeyError, IndexError, TypeError):
            return False


def samples(line: Line, sandbox_url: str) -> list[Posted]:
    """Every recorded webhook, one item each."""
    messages = [one for one in recorded("whatsapp", "messages") if isinstance(one["message"], dict)]
    found = [_whatsapp(line, one["name"], {"messages": [one["message"]]}, one["contact"]) for one in messages]
    statuses = recorded("whatsapp", "statuses")
    found += [_whatsapp(line, one["name"], {"statuses": [one["status"]]}, None) for one in statuses]
    return found + [_genesys(line, one["name"], one["item"], sandbox_url) for one in recorded("genesys", "messages")]


def _whatsapp(line: Line, name: str, value: dict[str, Any], contact: Any) -> Posted:
    metadata = {"display_phone_number": "+49 30 1234567", "phone_number_id": line.phone_number_id, "mark": "MARK"}
    whole = {"messaging_product": "whatsapp", "metadata": metadata, "contacts": [contact] if contact else [], **value}
    entry = {"id": "WABA-MARK", "changes": [{"field": "messages", "value": whole}]}
    return Posted("whatsapp", name, "", {"object": "whatsapp_business_account", "entry": [entry]}, None)


def _genesys(line: Line, name: str, item: Any, sandbox_url: str) -> Posted:
    # Files are nowhere: the stand-in answers at once that it does not have them.
    text = re.sub(r'https?://[^"\s]+', f"{sandbox_url}/genesys/nothing/MARK", json.dumps(item))
    item = json.loads(text)
    if isinstance(item, dict) and isinstance(item.get("channel"), dict):
        item["channel"] |= {"id": f"{OURS}{line.integration_id}", "mark": "MARK"}
        _person(item["channel"], line)
    return Posted("genesys", name, "", item, None)


def _person(channel: dict[str, Any], line: Line) -> None:
    for side in ("to", "from"):
        known = channel.get(side)
        if isinstance(known, dict) and "id" in known:
            known["id"] = "contact-MARK" if side == "to" else f"{OURS}{line.integration_id}"


def marked(sample: Posted, number: int) -> Posted:
    """The sample as a message of its own, from a person of its own, of this moment."""
    mark = f"M{number:07d}"
    body = _replaced(copy.deepcopy(sample.body), mark, number)
    return Posted(sample.channel, sample.sample, mark, body, None)


def _replaced(value: Any, mark: str, number: int, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _replaced(inner, mark, number, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, mark, number, name) for inner in value]
    if not isinstance(value, str):
        return value
    if value.startswith(OURS):
        return value.removeprefix(OURS)
    if name == "timestamp":
        return str(int(time.time()))
    if name in ("from", "wa_id", "recipient_id") and DIGITS.fullmatch(value):
        return f"4917{number:09d}"
    if name in ("from_user_id", "user_id", "recipient_user_id") and value:
        return f"DE.{mark}{value[3:9]}"
    if (name in ("id", "messageId") and "wamid" in value) or re.fullmatch(r"[0-9a-f]{32}", value):
        return f"wamid.{mark}"
    return value.replace("MARK", mark)


def mutations(plain: list[Posted], how_many: int) -> Iterator[Posted]:
    """Each of the samples over and over, with one thing changed at a place that the seed picks."""
    dice = random.Random(SEED)
    for number in range(how_many):
        one = marked(plain[number % len(plain)], number)
        path = dice.choice(list(_paths(one.body)))
        yield Posted(one.channel, one.sample, one.mark, _changed(one.body, path, dice), path)


def _paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in the body but its root."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield (*at, key)
        yield from _paths(inner, (*at, key))


def _changed(body: Any, path: Path, dice: random.Random) -> Any:
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    last, kind = path[-1], dice.randrange(100)
    if kind < 20:
        del holder[last]
    elif kind < 35:
        holder[last] = None
    elif kind < 60:
        holder[last] = copy.deepcopy(dice.choice(OTHERS))
    elif kind < 63:  # few: each is 100,000 characters for the client, the web, the broker and the database
        holder[last] = dice.choice(LONG)
    elif kind < 80 and isinstance(holder[last], dict):
        holder[last] |= copy.deepcopy(MEMBERS)
    elif kind < 90 and isinstance(holder[last], list):
        holder[last] = []
    else:
        holder[last] = dice.choice(ODD)
    return body
