"""Reads a JSON body with the model classes of Genesys' own SDK and says what does not fit.

Only the classes that are needed are loaded: the package as a whole takes 1.5 seconds and 190 MB, and starts
threads that watch files, which would stop a patched process. Whole it runs in genesys_sdk_process.py.
"""

import importlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib.util import find_spec, module_from_spec
from typing import Any

SDK = "PureCloudPlatformClientV2"

REQUIRED = {
    # What the relay sends: facts/genesys.md 5.1 to 5.5. The SDK's classes do not say it themselves.
    "OpenInboundNormalizedMessage": ("channel",),
    "OpenInboundMessageMessagingChannel": ("from", "time", "messageId"),
    "OpenMessagingFromRecipient": ("id", "idType"),
    "OpenInboundMessageContent": ("attachment",),
    "OpenContentAttachment": ("mediaType", "url", "mime"),
    "OpenInboundNormalizedReceipt": ("id", "channel", "status"),
    "OpenInboundMessagingReceiptChannel": ("to", "time"),
    "OpenMessagingToRecipient": ("id",),
    "ConversationReason": ("code", "message"),
    "OpenInboundNormalizedEvent": ("channel", "events"),
    "OpenInboundMessagingChannel": ("from", "time"),
    "OpenEvent": ("eventType",),
    "OpenInboundStructuredResponseMessage": ("channel", "buttonResponse", "originatingMessageId"),
    "ContentButtonResponse": ("type", "text", "payload"),
    # What the desk sends: 3.4 and 4.3.
    "ConversationNormalizedMessage": ("id", "channel", "type", "direction"),
    "ConversationMessagingChannel": ("id", "platform", "type", "to", "from", "time", "messageId"),
    "ConversationMessageContent": ("contentType",),
    "ConversationContentAttachment": ("mediaType", "url"),
    "ConversationContentQuickReply": ("text", "payload"),
    "ConversationContentQuickReplyV2": ("title", "actions"),
    "ConversationContentCard": ("title", "actions"),
    "ConversationContentCardAction": ("type", "text"),
    "ConversationContentCarousel": ("cards",),
    "ConversationContentNotificationTemplate": ("body",),
    "ConversationNotificationTemplateBody": ("text",),
    "ConversationNotificationTemplateButton": ("type", "index"),
    "ConversationMessageEvent": ("eventType",),
}
BEYOND = {
    # 5.1: the model lists subType only; five public clients send customAttributes, and Architect reads them.
    ("ConversationChannelMetadata", "customAttributes"): "dict(str, str)",
    # 5.2: the old endpoint demanded it, the model of the new one has only `attachment`; both forms work.
    ("OpenInboundMessageContent", "contentType"): "str",
    # 3.4: on every webhook recorded since 2025, in the model of none.
    ("ConversationNormalizedMessage", "conversationId"): "str",
}
_PRIMITIVES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


def problems(model: str, body: Any) -> list[str]:
    """Unknown and missing fields, wrong types, and values that are in no enum; by their path."""
    return list(_model(model, body, model))


@cache
def _class(name: str) -> Any:
    """A module each, named after its class."""
    _load_bare(SDK)
    _load_bare(f"{SDK}.models")
    module = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return getattr(importlib.import_module(f"{SDK}.models.{module}"), name)


def _load_bare(package: str) -> None:
    """As a package whose modules can be imported, without running what it holds itself."""
    if package not in sys.modules:
        spec = find_spec(package)
        assert spec is not None, f"{SDK} is not installed: pip install -e .[dev]"
        sys.modules[package] = module_from_spec(spec)


def _model(name: str, body: Any, path: str) -> Iterator[str]:
    if not isinstance(body, dict):
        yield f"{path}: not an object"
        return
    model = _class(name)()
    fields = {model.attribute_map[attribute]: attribute for attribute in model.swagger_types}
    yield from (f"{path}.{field}: missing" for field in REQUIRED.get(name, ()) if field not in body)
    for field, value in body.items():
        place, attribute = f"{path}.{field}", fields.get(field)
        kind = model.swagger_types[attribute] if attribute else BEYOND.get((name, field))
        if kind is None:
            yield f"{place}: unknown field"
            continue
        yield from _value(kind, value, place)
        allowed = _enum(name, attribute) if attribute else ()
        if allowed and value not in allowed:
            yield f"{place}: {value!r} is none of {', '.join(allowed)}"


def _value(kind: str, value: Any, path: str) -> Iterator[str]:
    if kind.startswith("list["):
        if isinstance(value, list):
            for place, each in enumerate(value):
                yield from _value(kind[5:-1], each, f"{path}.{place}")
        else:
            yield f"{path}: not a list"
    elif kind == "dict(str, str)":
        flat = isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
        yield from () if flat else (f"{path}: not a flat object of texts",)
    elif kind in _PRIMITIVES:
        yes = isinstance(value, _PRIMITIVES[kind]) and (kind == "bool" or not isinstance(value, bool))
        yield from () if yes else (f"{path}: {value!r} is no {kind}",)
    elif kind == "datetime":
        yield from () if _moment(value) else (f"{path}: {value!r} is no time",)
    else:
        yield from _model(kind, value, path)


def _moment(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


@cache
def _enum(name: str, attribute: str) -> tuple[str, ...]:
    """The setter knows it, and takes any case; Genesys is sent the exact one."""
    found = re.search(r"allowed_values = (\[.*?\])", inspect.getsource(getattr(_class(name), attribute).fset))
    return tuple(json.loads(found[1])) if found else ()
