"""Files and read marks at Meta's own address: nobody's uploads keep others waiting, and no type makes a header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from gevent.lock import BoundedSemaphore
from werkzeug.test import TestResponse

from db.pool import Pool
from tests.api.conftest import WHATSAPP, Api
from tests.api.test_rotation import active_line
from tests.processes import Process
from web.api.graph import calls
from web.request.web_context import WebContext

NUMBER = WHATSAPP["phone_number_id"]
MARK = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.1"}
Upload = Callable[..., TestResponse]


@pytest.fixture
def tenant_id(new_tenant: Callable[..., str], parts: WebContext, pool: Pool) -> str:
    made = new_tenant()
    active_line(parts, pool, made, NUMBER)
    return made


@pytest.fixture
def upload(app: Flask, tenant_id: str, settings_env: dict[str, str]) -> Upload:
    def ask(mime: str = "image/png", body: BytesIO | None = None) -> TestResponse:
        form = b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\n%s\r\n' % mime.encode()
        form += b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--b--\r\n'
        held = body or BytesIO()
        held.write(form)
        held.seek(0)
        headers = {"Authorization": f"Bearer {settings_env['ADMIN_API_KEY']}", "Content-Length": str(len(form))}
        client, kind = app.test_client(), "multipart/form-data; boundary=b"
        return client.post(f"/v25.0/{NUMBER}/media", input_stream=held, headers=headers, content_type=kind)

    return ask


@pytest.fixture
def all_taken() -> Iterator[Callable[[BoundedSemaphore], None]]:
    with ExitStack() as held:

        def take(kind: BoundedSemaphore) -> None:
            for _ in range(calls.AT_ONCE):
                held.enter_context(calls.permit(kind))

        yield take


def code(answer: TestResponse) -> tuple[int, int]:
    return answer.status_code, answer.get_json()["error"]["code"]


def test_uploads_of_one_tenant_have_a_limit_of_their_own(upload: Upload, tenant_id: str, sandbox: Process) -> None:
    with ExitStack() as held:
        for _ in range(calls.OF_ONE):
            held.enter_context(calls.uploading(tenant_id))
        refused, unread = upload(body=(stream := BytesIO())), stream.tell()
        assert (code(refused), refused.headers["Retry-After"], unread) == ((429, 4), "1", 0)
        with calls.uploading("another tenant"):
            pass
    assert upload().get_json()["id"]


def test_a_file_is_read_before_it_takes_anybodys_place(upload: Upload, all_taken: Any) -> None:
    all_taken(calls.UPLOADS)
    stream = BytesIO()
    assert code(upload(body=stream)) == (503, 2)
    assert stream.tell() == len(stream.getvalue())


def test_uploads_keep_no_read_mark_waiting(api: Api, tenant_id: str, all_taken: Any, sandbox: Process) -> None:
    all_taken(calls.UPLOADS)
    assert api("POST", f"/v25.0/{NUMBER}/messages", MARK).status_code != 503
    all_taken(calls.SIGNALS)
    assert code(api("POST", f"/v25.0/{NUMBER}/messages", MARK)) == (503, 2)


@pytest.mark.parametrize(
    "mime", ["image/png\r\nX-Made: up", "image/png\nX: y", "image", "image/", "a b/c", "image/pñg"]
)
def test_what_is_no_media_type_makes_no_header_at_meta(upload: Upload, mime: str) -> None:
    assert code(upload(mime)) == (400, 131053)


@pytest.mark.parametrize("mime", ["audio/ogg; codecs=opus", "application/vnd.ms-excel", "IMAGE/PNG"])
def test_media_types_go_on(upload: Upload, mime: str, all_taken: Any) -> None:
    all_taken(calls.UPLOADS)
    assert code(upload(mime)) == (503, 2)


@pytest.mark.parametrize("field", ["status", "message_id", "typing_indicator"])
def test_no_read_mark_is_told_as_a_message(api: Api, tenant_id: str, field: str) -> None:
    text = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "b"}, field: "read"}
    body = {"to": "+4915112345678", "phone_number_id": NUMBER, "message": text}
    said = api.error(api("POST", "/whatsapp/send", body), 400, "invalid_request")
    assert f"{field} belongs to a read mark" in said["message"].replace("`", "")
    if field != "status":
        asked = api("POST", f"/v25.0/{NUMBER}/messages", text | {"to": "+4915112345678"})
        assert code(asked) == (400, 131009)
