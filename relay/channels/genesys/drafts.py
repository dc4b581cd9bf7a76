"""The elements of a Genesys message, put together to as few messages as can hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from relay.channels.http.reading import joined
from relay.core.content import Location, Option, Template
from relay.core.messages import Media
from relay.core.visible import blank

NO_QUESTION = "👇"
"""Answers need something to stand below; understood in every language."""
WITH_ANSWERS = ("image", "video", "document")
"""Files that may stand above answers to tap."""


@dataclass(frozen=True, slots=True)
class ElementContent:
    """What one element brings along."""

    text: str = ""
    media: Media | None = None
    options: tuple[Option, ...] = ()
    opener: str | None = None
    place: Location | None = None
    template: Template | None = None
    templated: bool = False
    """It is a template, even if nobody can read which one (`template` is None then)."""
    card: bool = False
    """A message of its own; only text may come before it."""
    one_of_many: bool = False
    """One answer per element: they belong together."""

    def __bool__(self) -> bool:
        return not blank(self.text) or self.more

    @property
    def more(self) -> bool:
        """Whether it is more than a text among others."""
        return bool(self.media or self.options or self.place or self.templated or (self.card and not blank(self.text)))


@dataclass(slots=True)
class MessageDraft:
    """One message in the making. `lead` is the text of the whole, which elements often repeat."""

    lead: str = ""
    contents: list[ElementContent] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    media: Media | None = None
    opener: str | None = None
    place: Location | None = None
    template: Template | None = None
    last: ElementContent = ElementContent()
    """The newest element that was more than a text."""

    def __bool__(self) -> bool:
        return not blank(self.lead) or bool(self.contents)

    @property
    def templated(self) -> bool:
        return self.last.templated

    def takes(self, content: ElementContent) -> bool:
        """Whether the element fits beside what is there."""
        if not self.contents:
            return True
        if content.templated or self.last.templated or (self.last and content.card):
            return False
        if not self.last or not content.more:
            return True
        if self.place or content.place or (self.media and content.media):
            return False
        if self.options and content.options:
            return content.one_of_many and self.last.one_of_many
        file = self.media or content.media
        return file is None or file.kind in WITH_ANSWERS

    def add(self, content: ElementContent) -> None:
        self.contents.append(content)
        self.options += content.options
        self.media = self.media or content.media
        self.opener = self.opener or content.opener
        self.place = self.place or content.place
        self.template = self.template or content.template
        if content.more:
            self.last = content

    @property
    def text(self) -> str:
        said = joined(content.text for content in self.contents if not blank(content.text))
        lead = "" if _repeated(self.lead, said) else self.lead
        return joined((lead, said)) or (NO_QUESTION if self.options else "")


def drafts(lead: str, contents: Iterable[ElementContent]) -> list[MessageDraft]:
    """At least one of them; it may be empty."""
    found = [MessageDraft("" if blank(lead) else lead)]
    for content in contents:
        if not content:
            continue
        if not found[-1].takes(content):
            found.append(MessageDraft())
        found[-1].add(content)
    return found


def _repeated(lead: str, said: str) -> bool:
    """Whether whole lines of what the elements say are the lead; Genesys fills both with the same."""
    wanted, told = f"\n{lead.strip()}\n", f"\n{said}\n"
    return wanted in told or wanted in told.replace("*", "")
