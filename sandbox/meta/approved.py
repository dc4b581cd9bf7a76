"""A template as Meta has approved it."""

import re
from typing import Literal

from pydantic import Field

from sandbox.meta.strict import MetaObject

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


class TemplateHeader(MetaObject):
    format: Literal["TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"]
    text: str = ""


class TemplateButton(MetaObject):
    type: Literal["QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "REQUEST_CONTACT_INFO"]
    text: str
    url: str = ""
    phone_number: str = ""


class ApprovedCard(MetaObject):
    """One card of a carousel."""

    header: TemplateHeader
    body: str
    buttons: list[TemplateButton] = Field(default_factory=list)


class ApprovedOffer(MetaObject):
    text: str
    has_expiration: bool = False


class ApprovedTemplate(MetaObject):
    name: str
    language: str
    body: str
    header: TemplateHeader | None = None
    footer: str | None = None
    buttons: list[TemplateButton] = Field(default_factory=list)
    parameter_format: Literal["POSITIONAL", "NAMED"] = "POSITIONAL"
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] = "UTILITY"
    status: Literal["APPROVED", "PAUSED", "DISABLED", "PENDING", "REJECTED"] = "APPROVED"
    quality: Literal["GREEN", "YELLOW", "RED", "UNKNOWN"] = "UNKNOWN"
    cards: list[ApprovedCard] = Field(default_factory=list)
    offer: ApprovedOffer | None = None

    @property
    def only_body(self) -> bool:
        return self.header is None and self.footer is None and not self.buttons


def placeholders(text: str) -> list[str]:
    """Each once, in the order of their coming."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def filled(text: str, values: dict[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: values.get(found.group(1), found.group(0)), text)
