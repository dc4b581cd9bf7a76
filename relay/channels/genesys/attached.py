"""Files in Genesys' messages: those that agents attach, and pictures that bots only name.

Source: SDK model ConversationContentAttachment, payloads of a real org.
"""

from __future__ import annotations

import re
from typing import Any

from relay.channels.genesys.drafts import ElementContent
from relay.channels.genesys.webhook import media_kind
from relay.channels.http.reading import joined, record
from relay.channels.text import clean
from relay.core.filenames import cleaned
from relay.core.messages import Media, MediaKind

_LONGEST_MIME = 200


def attachment(body: Any) -> ElementContent:
    """A file, or for mediaType Link an address; without an address only its caption is left."""
    found = record(body)
    url, caption = clean(found.get("url")), clean(found.get("text"))
    if not url or media_kind(found) == "link":
        return ElementContent(text=joined((caption, url), ": "))
    return ElementContent(media=_file(found, url, caption))


def picture(url: str | None, kind: MediaKind, *, optional: bool = True) -> Media | None:
    """What stands above a text. A bot's author chose the address, so it is fetched as a stranger's."""
    return Media(kind=kind, source_url=url, public=True, optional=optional) if is_web(url) else None


def header(body: Any, *, optional: bool) -> Media | None:
    """The file in the header of a notification."""
    found = record(body)
    kind = media_kind(found)
    shown = picture(clean(found.get("url")), "document" if kind == "link" else kind, optional=optional)
    if shown is None:
        return None
    return Media(
        kind=shown.kind,
        mime_type=_mime(found),
        source_url=shown.source_url,
        filename=_name(found),
        public=True,
        optional=optional,
    )


def is_web(url: str | None) -> bool:
    """Whether a phone would open it as a page."""
    return bool(url and re.match(r"https?://[^\s/]", url, re.IGNORECASE))


def _file(found: dict[str, Any], url: str, caption: str | None) -> Media:
    size = found.get("contentSizeBytes")
    return Media(
        kind=media_kind(found),
        mime_type=_mime(found),
        source_id=clean(found.get("id")),
        source_url=url,
        filename=_name(found),
        caption=caption,
        size=size if isinstance(size, int) and not isinstance(size, bool) and size > 0 else None,
    )


def _mime(found: dict[str, Any]) -> str:
    """Nothing longer is one."""
    mime = clean(found.get("mime")) or ""
    return mime if len(mime) <= _LONGEST_MIME else ""


def _name(found: dict[str, Any]) -> str | None:
    return cleaned(clean(found.get("filename"))) or None
