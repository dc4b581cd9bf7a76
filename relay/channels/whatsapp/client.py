"""Calls to Meta's Graph API: send, media down and up. Raises SendError, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import quote

from relay.channels.base import Account, Download, Request, Sent
from relay.channels.http import multipart
from relay.channels.http.client import HttpResponse, HttpTransport, Stream
from relay.channels.http.files import as_download, public_file
from relay.channels.http.origins import TrustedOrigins
from relay.channels.http.reading import first, record
from relay.channels.text import clean
from relay.channels.whatsapp.errors import failure, is_foreign, meta_error, of_thread, without_direct_send
from relay.channels.whatsapp.limits import meta_mime
from relay.channels.whatsapp.outbound.render import phone_number_id
from relay.channels.whatsapp.outbound.thread_control import hands_over
from relay.core.errors import SendError
from relay.core.languages import phrase
from relay.core.messages import Media

MEDIA_HOSTS = ("graph.facebook.com", "lookaside.fbsbx.com", ".fbcdn.net", ".whatsapp.net")


class WhatsAppClient:
    """One for all lines; every call names its account."""

    def __init__(self, transport: HttpTransport) -> None:
        self._http = transport
        self._base = f"{transport.graph_url}/{transport.graph_version}"
        self._trust = TrustedOrigins(transport.graph_origins, MEDIA_HOSTS)

    def send(
        self, request: Request, account: Account, deadline: float, before_send: Callable[[], None] | None = None
    ) -> Sent:
        """POST a message, or what becomes of a thread. There is no idempotency key: a lost answer is unknown."""
        answer = self._call(request.method, request.path, account, deadline, request.query, request.body, before_send)
        provider_id = clean(first(record(answer.data).get("messages")).get("id"))
        # Taken without naming an id: its statuses still bear ours.
        taken = bool(provider_id) or (bool(record(answer.data)) and "error" not in record(answer.data))
        if answer.status >= 300 or not taken:
            error = _refusal(request, answer, account)
            raise of_thread(error) if hands_over(request) else error
        contact = first(record(answer.data).get("contacts"))
        aliases = tuple(found for key in ("wa_id", "user_id") if (found := clean(contact.get(key))))
        return Sent(provider_id or "", answer.status, aliases=aliases)

    def get(self, path: str, account: Account, deadline: float, query: Mapping[str, str] | None = None) -> HttpResponse:
        """A harmless GET; the caller reads the answer, whatever its status."""
        return self._call("GET", path, account, deadline, query or {})

    def post(self, path: str, account: Account, deadline: float, body: Mapping[str, Any]) -> HttpResponse:
        """A POST that changes settings; the caller reads the answer, whatever its status."""
        return self._call("POST", path, account, deadline, {}, dict(body))

    @contextmanager
    def fetch(self, media: Media, account: Account, deadline: float) -> Iterator[Download]:
        """Stream a customer's file. Its address lives five minutes, so it is asked for right now."""
        if media.public:
            with public_file(self._http, media, deadline, account.tenant_id) as download:
                yield download
            return
        if not media.source_id:
            raise SendError("refused", "media_not_found", phrase("the message names no file"))
        bearer = _bearer(account)
        found = self._resolve(media.source_id, account, deadline)
        with self._http.download(found["url"], self._trust, deadline, bearer) as stream:
            if stream.status not in (401, 404):
                yield _checked(stream, media, found)
                return
        found = self._resolve(media.source_id, account, deadline)
        with self._http.download(found["url"], self._trust, deadline, bearer) as stream:
            yield _checked(stream, media, found)

    def upload(self, file: IO[bytes], media: Media, account: Account, deadline: float) -> str:
        """Upload our copy for the line's number and return its media id, good for 30 days."""
        mime = meta_mime(media.mime_type)
        fields = {"messaging_product": "whatsapp", "type": mime}
        form = multipart.form(fields, file, media.filename, mime)
        answer = self._http.upload(
            f"{self._base}/{quote(phone_number_id(account), safe='')}/media",
            self._trust,
            deadline,
            authorization=_bearer(account),
            content_type=form.content_type,
            body=form.blocks(),
            length=form.length,
        )
        media_id = clean(record(answer.data).get("id"))
        if answer.status >= 300 or not media_id:
            raise harmless(failure(answer, account.credentials.values()))
        return media_id

    def _resolve(self, media_id: str, account: Account, deadline: float) -> dict[str, Any]:
        query = {"phone_number_id": phone_number_id(account)}
        answer = self.get(f"/{quote(media_id, safe='')}", account, deadline, query)
        found = record(answer.data)
        if answer.status < 300 and clean(found.get("url")):
            return found
        error = meta_error(answer)
        if error is not None and is_foreign(error):
            raise SendError(
                "refused", "media_not_found", phrase("WhatsApp no longer has the file"), status=answer.status
            )
        raise harmless(failure(answer, account.credentials.values()))

    def _call(
        self,
        method: str,
        path: str,
        account: Account,
        deadline: float,
        query: Mapping[str, str],
        body: Any = None,
        before_send: Callable[[], None] | None = None,
    ) -> HttpResponse:
        return self._http.call(
            method,
            self._base + path,
            self._trust,
            deadline,
            query=query,
            authorization=_bearer(account),
            json=body,
            before_send=before_send,
            repeatable=method == "GET",
        )


def _refusal(request: Request, answer: HttpResponse, account: Account) -> SendError:
    error, found = meta_error(answer), failure(answer, account.credentials.values())
    if error is None or "category" not in request.body or not without_direct_send(error):
        return found
    text = phrase("the WhatsApp account may not use Direct Send (%(why)s)", why=found.text)
    return SendError("refused", "direct_send_not_enabled", text, status=found.status, answer=found.answer)


def harmless(error: SendError) -> SendError:
    """The same fault of a call that may be repeated freely: unknown becomes retry."""
    if error.fate == "unknown":
        return SendError("retry", error.code, error.text, status=error.status)
    return error


def _bearer(account: Account) -> str:
    token = account.credentials.get("access_token", "")
    if not token:
        raise SendError("credentials", "no_token", phrase("the line has no access token"))
    return f"Bearer {token}"


def _checked(stream: Stream, media: Media, found: dict[str, Any]) -> Download:
    """The file, or the reason why there is none. 404 twice means it is gone."""
    if stream.status in (404, 410):
        raise SendError("refused", "media_not_found", phrase("WhatsApp no longer has the file"), status=stream.status)
    if stream.status in (401, 403):
        raise SendError(
            "retry", "media_unavailable", phrase("WhatsApp does not hand out the file now"), status=stream.status
        )
    mime = clean(found.get("mime_type")) or media.mime_type
    return as_download(stream, mime, media.filename)
