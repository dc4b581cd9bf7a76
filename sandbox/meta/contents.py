"""Contents of messages that are no dialogue: text, files, places, contacts, reactions."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from sandbox.meta.strict import Filled, MetaObject, WebAddress, maybe_up_to, up_to


class TextObject(MetaObject):
    body: Annotated[str, up_to(4096)]
    preview_url: bool = False


class MediaObject(MetaObject):
    id: Filled | None = None
    link: WebAddress | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "MediaObject":
        if (self.id is None) == (self.link is None):
            raise ValueError("exactly one of 'id' and 'link' is required")
        return self


class Captioned(MediaObject):
    caption: Annotated[str, maybe_up_to(1024)] | None = None


class Audio(MediaObject):
    voice: bool = False


class Named(MediaObject):
    filename: Annotated[str, maybe_up_to(240)] | None = None


class Document(Captioned):
    filename: Annotated[str, maybe_up_to(240)] | None = None


class LocationObject(MetaObject):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, maybe_up_to(1000)] | None = None
    address: Annotated[str, maybe_up_to(1000)] | None = None


class ContactName(MetaObject):
    formatted_name: Filled
    first_name: str | None = None
    last_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    prefix: str | None = None

    @model_validator(mode="after")
    def _one_more(self) -> "ContactName":
        if not (self.first_name or self.last_name or self.middle_name or self.suffix or self.prefix):
            raise ValueError("needs at least one name beside formatted_name")
        return self


class ContactPhone(MetaObject):
    phone: str | None = None
    type: str | None = None
    wa_id: str | None = None


class ContactEmail(MetaObject):
    email: str | None = None
    type: str | None = None


class ContactAddress(MetaObject):
    street: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    country_code: str | None = None
    type: str | None = None


class ContactUrl(MetaObject):
    url: str | None = None
    type: str | None = None


class ContactOrganisation(MetaObject):
    company: str | None = None
    department: str | None = None
    title: str | None = None


class ContactObject(MetaObject):
    name: ContactName
    phones: list[ContactPhone] = Field(default_factory=list)
    emails: list[ContactEmail] = Field(default_factory=list)
    addresses: list[ContactAddress] = Field(default_factory=list)
    urls: list[ContactUrl] = Field(default_factory=list)
    org: ContactOrganisation | None = None
    birthday: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


def _is_emoji(value: str) -> str:
    if re.search(r"[A-Za-z\s]", value):
        raise ValueError("must be an emoji, or empty to remove the reaction")
    return value


class Reaction(MetaObject):
    message_id: Filled
    emoji: Annotated[str, AfterValidator(_is_emoji)]
