"""Calls to the Genesys Cloud API: messages and receipts in, files out. Raises SendError, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from relay.channels.base import Account, Download, Request, Sent
from relay.channels.genesys.errors import failure, trace_id
from relay.channels.genesys.hosts import Hosts
from relay.channels.genesys.reasons import cause
from relay.channels.genesys.token import Tokens
from relay.channels.http.client import HttpResponse, HttpTransport, redact
from relay.channels.http.files import as_download, public_file
from relay.channels.http.reading import first, record
from relay.channels.text import clean
from relay.core.errors import SendError
from relay.core.genesys_ids import plain
from relay.core.languages import phrase
from relay.core.messages import Media


class GenesysClient:
    """One for all lines; every call names its account."""

    def __init__(self, transport: HttpTransport) -> None:
        self._http = transport
        self.hosts = Hosts(transport)
        self.tokens = Tokens(transport, self.hosts)

    def send(
        self, request: Request, account: Account, deadline: float, before_send: Callable[[], None] | None = None
    ) -> Sent:
        """POST a message, answer or receipt. An accepted receipt may still say Failed in its body."""
        answer = self.call(
            request.method, request.path, account, deadline, request.query, request.body, before_send, harmless=False
        )
        receipt = request.path.endswith("/receipt")
        data = record(answer.data)
        provider_id = plain(clean(data.get("id")) or "")
        # Any 2xx is success, but for a page; without an id only its receipts cannot be matched [genesys.md 5].
        readable = bool(data) or answer.empty or (receipt and not answer.text.lstrip().startswith("<"))
        if answer.status >= 300 or (not provider_id and not readable):
            about_another = receipt or request.path.endswith("/structured/response")
            raise _of_file(request, failure(answer, account.credentials.values(), about_another=about_another))
        if data.get("status") == "Failed" and not (receipt and request.body.get("status") == "Failed"):
            raise _of_file(request, _failed(answer, account))
        return Sent(provider_id, answer.status, clean(data.get("conversationId")))

    def call(
        self,
        method: str,
        path: str,
        account: Account,
        deadline: float,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        before_send: Callable[[], None] | None = None,
        *,
        harmless: bool = True,
    ) -> HttpResponse:
        """One API call. A refused token is dropped and replaced once: 401 means nothing was done."""
        token = self.tokens.get(account, deadline)
        answer = self._once(method, path, account, deadline, query, body, before_send, harmless, token)
        if answer.status != 401:
            return answer
        self.tokens.drop(account, token)
        token = self.tokens.get(account, deadline)
        return self._once(method, path, account, deadline, query, body, before_send, harmless, token)

    @contextmanager
    def fetch(self, media: Media, account: Account, deadline: float) -> Iterator[Download]:
        """Stream an agent's file: without a token, and if that is refused with it, at Genesys only."""
        if media.public:
            with public_file(self._http, media, deadline, account.tenant_id) as download:
                yield download
            return
        if not media.source_url:
            raise SendError("refused", "media_not_found", phrase("the message names no file"))
        trust = self.hosts.trust(account)
        with self._http.download(media.source_url, trust, deadline) as stream:
            if stream.status not in (401, 403) or not trust.takes_bearer(trust.admit(media.source_url)):
                yield as_download(stream, media.mime_type, media.filename)
                return
        bearer = f"Bearer {self.tokens.get(account, deadline)}"
        with self._http.download(media.source_url, trust, deadline, bearer) as stream:
            yield as_download(stream, media.mime_type, media.filename)

    def _once(
        self,
        method: str,
        path: str,
        account: Account,
        deadline: float,
        query: Mapping[str, str] | None,
        body: Any,
        before_send: Callable[[], None] | None,
        harmless: bool,
        token: str,
    ) -> HttpResponse:
        return self._http.call(
            method,
            self.hosts.api(account) + path,
            self.hosts.trust(account),
            deadline,
            query=query,
            authorization=f"Bearer {token}",
            json=body,
            before_send=before_send,
            repeatable=harmless,
        )


def _of_file(request: Request, error: SendError) -> SendError:
    """What Genesys' content profile does not let through is told the agent by a link, where Genesys says so at all."""
    if error.fate == "refused" and "content" in request.body and cause(error.code) in ("media_type", "media_size"):
        error.fate = "as_link"
    return error


def _failed(answer: HttpResponse, account: Account) -> SendError:
    """Taken by HTTP, refused in the body."""
    reason = first(record(answer.data).get("reasons"))
    code = clean(reason.get("code")) or "Failed"
    secrets = (*account.credentials.values(), answer.token)
    text = redact(clean(reason.get("message")) or "Genesys answered Failed", secrets)
    return SendError(
        "refused", code, text, status=answer.status, trace_id=trace_id(answer), answer=answer.kept(secrets)
    )
