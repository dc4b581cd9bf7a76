"""The canonical events: the only language both channels and the actors speak.

Values only. They travel as JSON (in `message_tracking.content`), so every field is
JSON-able and unknown keys are ignored when an older or newer process reads them.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, TypeVar

import orjson
from pydantic import TypeAdapter

from relay.core.content import About, Answer, Ask, Location, Native, Option, Template
from relay.core.errors import Fate
from relay.core.explain.causes import Cause
from relay.core.languages import DEFAULT
from relay.core.prices import Price
from relay.core.restored import BeforeLoss
from relay.core.templates.news import TemplateNews
from relay.core.threads import ThreadControl, ThreadFact

T = TypeVar("T")

ChannelName = Literal["whatsapp", "genesys"]
Direction = Literal["inbound", "outbound"]
Origin = Literal["webhook", "api", "catch_up"]
"""How a message came here. `catch_up`: asked for at the provider, whose webhook nobody had taken.

Of those that came through the API no agent is told anything.
"""
MediaKind = Literal["image", "video", "audio", "document", "sticker", "link"]
"""`link`: the file itself cannot be carried, a text with a link to our copy can."""
ReceiptStatus = Literal["sent", "delivered", "read", "failed"]

COPY = "copy:"
"""Before the id of a message that was seen while another responder had the conversation. It is kept and not carried:
the same message may come once more as our own, and then it counts."""
OWN_IDS = (COPY, "sha256:")
"""Before source ids of our own making, which no provider knows."""


@dataclass(frozen=True, slots=True)
class Media:
    """One file. `source_*` is where the sender's side keeps it, the rest is known once prepared.

    `sha256` is lower-case hex; `size` is in bytes; `caption` belongs to the file, not to the message.
    """

    kind: MediaKind
    mime_type: str = ""
    source_id: str | None = None
    source_url: str | None = None
    filename: str | None = None
    caption: str | None = None
    sha256: str | None = None
    size: int | None = None
    voice: bool = False
    animated: bool = False
    """A sticker that moves, where that was looked at."""
    bucket: str | None = None
    object_key: str | None = None
    upload_id: str | None = None
    """The receiving provider's id of the uploaded copy, where it wants uploads."""
    uploaded_at: float | None = None
    """Unix seconds; an upload id expires (30 days at Meta)."""
    public: bool = False
    """`source_url` was named by whoever asked for the message: fetched as a stranger's, and never with a token."""
    inline: str | None = None
    """The file itself, where the webhook carried it: a text, such as a vCard."""
    optional: bool = False
    """Decoration: if it cannot be had, the message goes without it, and nobody is told."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who wrote, by every name the webhook gave. Absent means unknown, never empty."""

    address: str
    """The id as it stands in the webhook; picks the intake queue."""
    wa_id: str | None = None
    bsuid: str | None = None
    parent_bsuid: str | None = None
    name: str | None = None
    username: str | None = None
    """Chosen by the person, and changed at will: shown, never looked up."""
    previous: tuple[str, ...] = ()
    """Addresses this person used before (number or user id changed)."""


@dataclass(frozen=True, slots=True)
class Message:
    """Something a person wrote. At least one of `text` and `media` is present.

    `source_id` is the sending provider's id; with line and direction it is the key of "once".
    `part` of `parts` counts from 1 when one source message had to become several.
    """

    source_id: str
    person: Person
    provider_time: float
    """Unix seconds, in the provider's own granularity."""
    type: str = "text"
    """The sending provider's word for the kind, for display and statistics."""
    text: str | None = None
    media: Media | None = None
    reply_to: str | None = None
    part: int = 1
    parts: int = 1
    genesys_conversation_id: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    about: About = "reply"
    """In which way it is about `reply_to`."""
    options: tuple[Option, ...] = ()
    opener: str | None = None
    """What opens the list of options, where there is a word for it."""
    numbered: bool = False
    """The options stand in the text, with numbers to write back: there are too many to tap."""
    answer: Answer | None = None
    edited: str | None = None
    """What its writer changed the words to, later: that is what others quote of it."""
    place: Location | None = None
    template: Template | None = None
    direct: bool = False
    """It goes out although the window is closed, as a utility message that the provider makes a template of."""
    ask: Ask | None = None
    native: Native | None = None
    """What goes out instead of all the rest, which says of it what there is to show and to quote."""
    unreadable: str | None = None
    """It begins as a command to the relay, and cannot be read: what its writer is told. It never goes out."""
    window_until: float | None = None
    """Until then (Unix seconds) the business may answer its writer freely."""
    notice: bool = False
    """News about the conversation: told only while one is going on, for it must not begin one."""
    thread: ThreadFact | None = None
    """Who answers the contact from now on, where the message itself says so."""
    take: bool = False
    """The thread is taken before it goes out: after an earlier call the provider told that another one has it."""
    control: ThreadControl | None = None
    """It hands the thread over and says nothing to the contact; its type is `thread_control`."""

    trace: str | None = None
    """Where its trace goes on (a W3C traceparent), if it is traced."""

    @property
    def report_id(self) -> str:
        """The sending provider's own id, without the part suffix."""
        return self.source_id.partition("#")[0]

    @property
    def own_id(self) -> str | None:
        """What a read mark or typing may name it by; None where it came without an id, and has but a digest in its
        place, and for a copy of what another responder was sent: that one is not ours to mark."""
        return None if self.source_id.startswith(OWN_IDS) else self.report_id


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message the relay sent earlier, told by the provider that took it."""

    provider_id: str
    status: ReceiptStatus
    time: float
    message_id: str | None = None
    """Our own id, where the provider echoes it."""
    code: str | None = None
    reason: str | None = None
    aliases: tuple[str, ...] = ()
    """Further addresses of the contact that it names."""
    answer: str | None = None
    """The provider's whole word about a failure, as JSON."""
    fate: Fate | None = None
    """Of a failure: whether sending it again may help."""
    window_until: float | None = None
    """Until then (Unix seconds) the business may write to the contact freely, where the provider says so."""
    price: Price | None = None
    """Told with `delivered` or `read`, of which one is charged."""
    thread: ThreadFact | None = None
    """Of a failure: it says who answers the contact."""
    of_line: bool = False
    """A failure that tells of its line: people have to see to it."""


@dataclass(frozen=True, slots=True)
class Typing:
    """Somebody is typing. Never stored."""

    person: Person


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and nothing to relay. Stored with its reason, so that it can be found."""

    source_id: str
    person: Person
    provider_time: float
    type: str
    reason: str
    window_until: float | None = None
    """As in a message: a call opens the window too."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that reached a line and is no contact's message: news of the account, or what nobody can read.

    Kept and listed with its reason. `kind` is the provider's word, or "unreadable".
    """

    kind: str
    reason: str
    template: TemplateNews | None = None
    """Where it is news of a template: that one's description is kept fresh by it."""


Event = Message | Receipt | Typing | Ignored | Notice


@dataclass(frozen=True, slots=True)
class Recipient:
    """How the two sides address one contact: filled from the conversation's mapping."""

    genesys_address: str
    wa_id: str | None = None
    bsuid: str | None = None
    name: str | None = None
    genesys_conversation_known: bool = False
    dialled: bool = True
    """`genesys_address` may be dialled where nothing else is known: no name of the contact has changed hands."""
    thread: ThreadFact | None = None
    """Who answered the contact when this was made."""


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt that Genesys is to be told. `provider_id` is the Genesys message id.

    `part` of `parts`: the row that it is about may hold but a part of what was written.
    """

    message_id: str
    provider_id: str
    status: Literal["delivered", "failed"]
    time: float
    code: str | None = None
    reason: str | None = None
    cause: Cause = "general"
    part: int = 1
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Signal:
    """What the contact's side is shown and nobody waits for. `provider_id`: the contact's newest message."""

    kind: Literal["read", "typing"]
    provider_id: str


@dataclass(frozen=True, slots=True)
class Update:
    """One item of a webhook on its way from web to the relay: the body of a broker message.

    `arrived_at` is Unix seconds at WSGI entry, `index` the item's place in the POST, `signer` the digest of the
    secret that signed it (db.tenants.signers): whoever brings a kept update back asks whether that secret still counts.
    """

    channel: str
    tenant_id: str
    line_id: str
    address: str
    arrived_at: float
    index: int
    payload: dict[str, Any]
    media_type: str | None = None
    mime_type: str | None = None
    version: int = 1
    signer: str = ""
    origin: Origin = "webhook"
    language: str = DEFAULT
    """Of its tenant: what the relay says of it to agents, it says in this one."""
    before_loss: BeforeLoss | None = None
    """It was written before this installation was lost and restored, and is not sent."""


_adapters: dict[type[Any], TypeAdapter[Any]] = {}
"""One per kind, made at first use: building one costs a hundred times what using it does."""


def dump(value: Any) -> bytes:
    """JSON of any value above."""
    return orjson.dumps(value)


_usual: dict[type[Any], tuple[tuple[str, Any], ...] | None] = {}
"""Of each kind of value its fields with their defaults, MISSING where a field has none; None for what has no fields."""


def dump_short(value: Any) -> bytes:
    """JSON of any value above without what has its default, in it and in its own values. `load` reads it the same."""
    return orjson.dumps(_unusual(value))


def _unusual(value: Any) -> Any:
    kind = type(value)
    if kind not in _usual:
        _usual[kind] = _defaults(kind) if is_dataclass(kind) else None
    usual = _usual[kind]
    if usual is None:
        return value
    found = {}
    for name, default in usual:
        one = getattr(value, name)
        if one is not default and one != default:
            found[name] = _unusual(one)
    return found


def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    made = ((one, one.default_factory) for one in fields(kind))
    return tuple((one.name, one.default if make is MISSING else make()) for one, make in made)


def load(kind: type[T], data: bytes | str | dict[str, Any]) -> T:
    """Read a value back. Raises ValueError (pydantic's) when it is not one."""
    if isinstance(data, (bytes, str)):
        data = orjson.loads(data)
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = TypeAdapter(kind)
    value: T = adapter.validate_python(data)
    return value
