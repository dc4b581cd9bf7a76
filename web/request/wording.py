"""What is wrong with a request, field by field and in words that say what to do.

Nothing that was sent is ever repeated but the names of fields: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MOST = 20
"""So many mistakes are told at once."""
LONGEST_NAME = 100
BODY = "the body must be a valid JSON object, sent with Content-Type: application/json"
MOMENT = "must be a date with time and zone, such as 2026-11-24T09:30:00Z"

# By the beginning of pydantic's error types, the longer before the shorter one.
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; remove it, or check its spelling",
    "model": "must be an object",
    "dict": "must be an object",
    "list": "must be a list",
    "string_type": "must be a string",
    "string_pattern_mismatch": "must match {pattern}",
    "string_unicode": "holds characters that cannot be printed",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} {of}",
    "too_long": "must have at most {max_length} {of}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "int": "must be a whole number",
    "float": "must be a number",
    "finite_number": "must be a number",
    "bool": "must be true or false",
    "uuid": "must be a UUID",
    "datetime": MOMENT,
    "timezone": MOMENT,
}
_KIND = re.compile("|".join(f"(?:{name})" for name in _WORDS))


def details(error: ValidationError) -> list[dict[str, str]]:
    """Every mistake once: {"field": "template.parameters.0", "message": "must be a string"}."""
    found = [_detail(one) for one in error.errors(include_url=False)]
    return [{"field": field, "message": text} for field, text in dict.fromkeys(found)][:MOST]


def summary(found: Iterable[Mapping[str, str]]) -> str:
    """All of it in a sentence: the mistake itself where there is one, else the fields to look at."""
    first, *more = found = list(found)
    if not more:
        return f"`{first['field']}` {first['message']}" if first["field"] else first["message"]
    return "the request cannot be used: see " + ", ".join(dict.fromkeys(one["field"] or "the body" for one in found))


def wrong(mistakes: Mapping[str, str]) -> ValidationError:
    """What a validator of a whole model raises, so that each mistake is told of its field."""
    return ValidationError.from_exception_data(
        "request",
        [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "{text}", {"text": text}), loc=(field,), input=None
            )
            for field, text in mistakes.items()
        ],
    )


def _detail(error: Mapping[str, Any]) -> tuple[str, str]:
    """(field, what is wrong). pydantic's "[key]" means a name in an object: told of the object."""
    places, text = error["loc"], words(error)
    if places and places[-1] == "[key]":
        places, text = places[:-2], f"has a name that {text}"
    elif (not places and text == "must be an object") or error["type"] == "json_invalid":
        text = BODY
    return ".".join(str(place)[:LONGEST_NAME] for place in places), text


def words(error: Mapping[str, Any]) -> str:
    """What is wrong with one value; goes on from the name of its field."""
    found = _KIND.match(error["type"])
    if found is None:
        return str(error["msg"]).removeprefix("Value error, ")
    known = dict(error.get("ctx", {}))
    if known.get("min_length") == 1:
        return "must not be empty"
    # JSON writes true where Python writes True.
    known["expected"] = str(known.get("expected")).replace("True", "true")
    known["of"] = "entries" if isinstance(error["input"], (list, dict)) else "characters"
    return _WORDS[found[0]].format(**known)
