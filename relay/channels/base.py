"""The contract a provider is written against. A channel sees no server, no broker, no database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any, Literal, Protocol

from relay.channels.feeds import EventFeed, EventStream
from relay.channels.listings import BegunConversations, ListedMessage, Listing, WrittenMessage
from relay.channels.raw_update import RawUpdate
from relay.channels.webhook_fields import SubscribedFields
from relay.core.content import Native
from relay.core.conversation.ends import ConversationEnd
from relay.core.conversation.signature import AgentName
from relay.core.costs import ToldCharge
from relay.core.explain.causes import Cause
from relay.core.languages import Say
from relay.core.messages import Event, Media, Message, Recipient, Report, Signal
from relay.core.templates.listed import ListedTemplate
from relay.core.templates.values import TemplateMistake

JsonObject = dict[str, Any]
"""A JSON object as a provider wrote it: of which nothing is certain."""
ACCOUNT = "account:"
"""Before the provider's id of an account, where news name no line by its id."""


def account_ref(account_id: str, number: str = "") -> str:
    """How an update names an account, and the number (digits) that its news are about, where they say."""
    return f"{ACCOUNT}{account_id}/{number}" if number else f"{ACCOUNT}{account_id}"


def account_and_number(ref: str) -> tuple[str, str]:
    """Both of a ref that begins with ACCOUNT; the number may be ""."""
    account_id, _, number = ref.removeprefix(ACCOUNT).partition("/")
    return account_id, number


@dataclass(frozen=True, slots=True)
class Account:
    """One side of a line, ready to be called. `credentials` are in clear: never log this."""

    tenant_id: str
    line_id: str
    line_ref: str
    credentials: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict)
    say: Say = field(default=str, repr=False, compare=False)
    """In the tenant's language what the relay itself writes to people."""


@dataclass(frozen=True, slots=True)
class Request:
    """A rendered provider call: everything but host and token. JSON body."""

    method: str
    path: str
    body: dict[str, Any]
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it. `aliases` are further ids of the recipient that its answer named."""

    provider_id: str
    status: int
    genesys_conversation_id: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Download:
    """A file being read from a provider; `chunks` streams it."""

    chunks: Iterator[bytes]
    mime_type: str
    size: int | None
    filename: str | None = None


Level = Literal["ok", "warning", "refused"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check, for people. `check` is a stable name, `advice` says what to do and where.

    `level` is ok, warning or refused (an explicit no).
    """

    check: str
    level: Level
    text: str
    advice: str = ""
    name: str = ""
    """What the provider calls what was looked at: of a number, its verified name and the number itself."""
    ends_at: int | None = None
    """When what was looked at ends, in Unix seconds, where the provider said so."""
    limit: str = ""
    """How many people a day may be written to first, in the provider's own word."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the provider should have been told about us.

    `webhook_urls`: the address to enter, then further ones that reach us too; none: not compared.
    `thorough`: also what says nothing of whose the line is, and calls that can only fail, where that is the only way
    to learn of a permission.
    """

    webhook_urls: tuple[str, ...] = ()
    thorough: bool = False


NOTHING_EXPECTED = Expected()


@dataclass(frozen=True, slots=True)
class Token:
    """An access token in clear. `expires_at` is in Unix seconds; None: it does not expire, or nobody told."""

    value: str = field(repr=False)
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Login:
    """What an admin's login at the provider gave: keep the refresh token at once, sealed."""

    refresh_token: str = field(repr=False)
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A number or integration that an account may use; `ref` is what a line calls it by."""

    ref: str
    name: str
    status: str
    webhook_url: str = ""


class TokenCache(Protocol):
    """Where access tokens are shared between processes. Losing it costs a fetch, never a message."""

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str, seconds: float) -> None: ...
    def delete(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Logins:
    """Where refresh tokens are kept for good. Both may raise StoreError.

    `newest(tenant_id)` is the one kept now; `renew(tenant_id, former, new)` puts `new` in the place
    of `former`, and answers False when something else is kept.
    """

    newest: Callable[[str], str | None]
    renew: Callable[[str, str, str], bool]


class History(Protocol):
    """What a provider tells afterwards of a conversation, by its own id of it. Calls as those of a Channel."""

    def begun(self, since: float, page: int, account: Account, deadline: float) -> BegunConversations:
        """Those that began on the line since then (Unix seconds), the first first. `page` from 1."""
        ...

    def listed(self, conversation: str, account: Account, deadline: float) -> Listing: ...

    def written(
        self, conversation: str, address: str, wanted: Sequence[ListedMessage], account: Account, deadline: float,
        *, ours: bool,
    ) -> list[WrittenMessage]:  # fmt: skip
        """Those of the provider's own side, as webhooks bring them, in order. `ours`: none can be another line's."""

    def taken(
        self, conversation: str, message: Message, among: Sequence[ListedMessage], account: Account, deadline: float
    ) -> str | None:
        """The provider's id of a message that was handed to it, if it is one of these."""
        ...

    def conversation_of(self, message_id: str, account: Account, deadline: float) -> str | None: ...


class Listening(Protocol):
    """Being told by the provider without anything that its admins set up. Calls as those of a Channel."""

    most: int
    """Conversations of which one channel can tell."""

    def channel(self, account: Account, deadline: float) -> EventFeed: ...

    def subscribe(
        self, channel: EventFeed, conversations: Sequence[str], account: Account, deadline: float
    ) -> str | None:
        """Of these and no others it tells from now on. Why of none of them, where the provider will not."""
        ...

    def listen(self, channel: EventFeed, account: Account, deadline: float) -> EventStream: ...


class Agents(Protocol):
    """Who talks to a contact at the agents' side. Calls as those of a Channel."""

    def moves(self, body: Any) -> dict[str, bool]:
        """Conversations in which somebody was called or has gone; True: gone. Pure, and of anything at all."""
        ...

    def talking(self, conversation: str, account: Account, deadline: float) -> dict[str, AgentName]:
        """By id those who talk in it now; a name may be empty."""
        ...

    def person(self, user_id: str, account: Account, deadline: float) -> AgentName: ...


class Ends(Protocol):
    """What a provider tells of the ends of conversations, and how one is ended there."""

    listening: Listening
    agents: Agents

    def told(self, body: Any) -> Iterator[ConversationEnd]:
        """What somebody posted, as the provider or its tools wrote it. Pure, and of anything at all."""
        ...

    def end(self, conversation: str, account: Account, deadline: float) -> None:
        """Everybody leaves the conversation. Once more does no harm. Raises SendError."""
        ...


@dataclass(frozen=True, slots=True)
class TemplateList:
    """The templates of an account. `whole`: there are no further ones, so what is missing here is gone."""

    account_id: str
    templates: tuple[ListedTemplate, ...]
    whole: bool


class Catalogue(Protocol):
    """The templates that a provider has approved for an account. Calls as those of a Channel."""

    def templates(self, account: Account, deadline: float) -> TemplateList: ...

    def named(self, native: Native) -> str | None:
        """The template's name, of a message in the provider's own words that is one."""
        ...

    def wrong(self, native: Native, languages: Sequence[ListedTemplate]) -> list[TemplateMistake]:
        """What keeps it from being sent, as far as that is understood; `languages`: all that are listed of its name."""
        ...


class Billing(Protocol):
    """What a provider says that it charged for a line's messages. Calls as those of a Channel."""

    def charged(self, since: int, until: int, account: Account, deadline: float) -> list[ToldCharge]:
        """By category, type and country, between two moments (Unix seconds)."""
        ...


class FieldSubscription(Protocol):
    """Which kinds of webhooks the account's app gets. Calls as those of a Channel."""

    def subscribed(self, account: Account, deadline: float) -> SubscribedFields: ...

    def subscribe(self, account: Account, deadline: float, urls: Sequence[str], secret: str) -> SubscribedFields:
        """All that are of use, read back. `urls`: ours, the one to enter first; `secret` proves the first call."""
        ...


class Channel(Protocol):
    """A provider. What takes no `deadline` is pure; the rest makes provider calls.

    Every call takes `deadline` (time.monotonic seconds) and raises SendError, nothing else.
    """

    name: str
    uploads_media: bool
    """True: media is uploaded and sent by id. False: the provider fetches a presigned URL."""
    logs_in: bool
    """True: an admin may connect it by logging in there."""
    stand_in: bool
    """True: calls go to a sandbox and not to the provider itself."""
    empty_body: bytes
    """A webhook body with nothing inside, to try signatures with."""
    proofs: tuple[str, ...]
    """The checks that together prove whose the line is: each is ok only on the provider's own word, never by
    default. The first says whether these credentials see the line's number or integration at all."""
    history: History | None
    """None: the provider tells nothing afterwards."""
    billing: Billing | None
    """None: the provider charges nothing for single messages, or does not say."""
    fields: FieldSubscription | None
    """None: the provider sends every kind of webhook."""
    ends: Ends | None
    """None: conversations there have no end."""
    catalogue: Catalogue | None
    """None: the provider knows no templates."""

    def sign(self, secret: str, raw: bytes) -> str: ...
    def verify(self, secret: str, raw: bytes, signature: str | None) -> bool: ...
    def split(self, body: Any) -> Iterator[RawUpdate]: ...
    def keep(self, body: Any, line_refs: set[str]) -> Any: ...
    def rewrite(self, body: Any, line_refs: set[str], change: Callable[[Any], Any]) -> Any: ...
    def parse(self, payload: dict[str, Any]) -> list[Event]: ...
    def fit(self, message: Message) -> list[Message]: ...
    def fit_media(self, media: Media) -> Media: ...
    def render(
        self,
        message: Message,
        message_id: str,
        to: Recipient,
        account: Account,
        media_url: str | None,
        languages: Sequence[ListedTemplate] = (),
    ) -> Request:
        """`languages`: of a template, all that are listed. Raises CannotCarry."""
        ...

    def render_report(self, report: Report, to: Recipient, account: Account) -> Request: ...
    def render_signal(self, signal: Signal, account: Account) -> Request: ...

    def cause(self, code: str | None) -> Cause:
        """Why a message failed, from this provider's code."""
        ...

    def send(
        self,
        request: Request,
        account: Account,
        deadline: float,
        before_send: Callable[[], None] | None = None,
    ) -> Sent:
        """`before_send` is called right before each request's first byte; what it raises goes through."""
        ...

    def fetch(self, media: Media, account: Account, deadline: float) -> AbstractContextManager[Download]: ...
    def converts(self, media: Media) -> bool:
        """Whether `convert` should look at such a file; told by its type and size, without reading it."""
        ...

    def convert(self, file: IO[bytes], media: Media) -> tuple[IO[bytes], Media] | None:
        """The file in a form that the provider takes, None: as it is. Busy for a while: not for an event loop."""
        ...

    def identifies(self, media: Media) -> bool:
        """Whether `identified` should look at such a file; told by its type, without reading it."""
        ...

    def identified(self, file: IO[bytes], media: Media) -> Media | None:
        """The file under the type that its bytes have, None where nobody can tell. `file` has a descriptor.

        Waits for a process, for seconds: from a greenlet, others run meanwhile. Raises OSError where none can start.
        """
        ...

    def upload(self, file: IO[bytes], media: Media, account: Account, deadline: float) -> str: ...
    def check(self, account: Account, deadline: float, expected: Expected = NOTHING_EXPECTED) -> list[Finding]: ...

    def rate_cap(self, account: Account, deadline: float) -> int | None:
        """How many messages a second the provider takes of this line at most; None: as many as of any other."""
        ...

    def token(self, account: Account, deadline: float) -> Token:
        """A token that should be good for a while."""
        ...

    def login_url(self, account: Account, redirect_uri: str, state: str, challenge: str) -> str:
        """Where an admin's browser goes; `challenge` is PKCE's, S256. Raises SendError where `logs_in` is False."""
        ...

    def login(self, account: Account, code: str, redirect_uri: str, verifier: str, deadline: float) -> Login: ...
    def offers(self, account: Account, deadline: float) -> list[Offer]: ...

    def connect(self, account: Account, deadline: float, url: str, secret: str) -> None:
        """Have the provider send the line's webhooks to `url`; `secret` is what it proves them with."""
        ...

    def create(self, account: Account, deadline: float, name: str, url: str, secret: str) -> Offer: ...
