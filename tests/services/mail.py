"""A real mail server: aiosmtpd in a process of its own, with TLS and a password. Mails are files in its folder."""

from __future__ import annotations

import asyncio
import ssl
import sys
import uuid
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from demo.stack.ports import HOST, free_port
from tests.processes import Process
from tests.services.certificates import Authority

USER, PASSWORD = "relay", "harbour lamp north tide"
NOBODY = "nobody@"
"""Addresses that begin so are refused for good."""


class MailProcess(Process):
    """`mode`: smtps (TLS from the first byte), smtp (STARTTLS demanded), plain (no TLS at all)."""

    def __init__(self, logs: Path, mode: str, authority: Authority, certificate: Any = None) -> None:
        self.port, self.folder = free_port(), logs / f"mails-{uuid.uuid4().hex}"
        self.folder.mkdir(parents=True)
        shown = certificate or authority.right()
        self.url = (
            f"{'smtps' if mode == 'smtps' else 'smtp'}://{USER}:{PASSWORD.replace(' ', '%20')}@localhost:{self.port}"
        )
        if mode == "plain":
            self.url = f"smtp://localhost:{self.port}"
        command = ["-m", "tests.services.mail", str(self.port), str(self.folder), mode]
        command += [str(shown.certificate), str(shown.key)]
        super().__init__("mail", command, {}, logs, lambda: (self.folder / "ready").exists())

    def mails(self) -> list[Message]:
        """What it has accepted, the oldest first."""
        files = sorted(self.folder.glob("*.eml"), key=lambda one: one.stat().st_mtime_ns)
        return [message_from_bytes(one.read_bytes(), policy=default) for one in files]


class _Mailbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, to: str, _options: Any) -> str:  # noqa: N802
        if to.startswith(NOBODY):
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(to)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if (self._folder / "full").exists():
            return "452 4.3.1 no room"
        part = self._folder / f"{uuid.uuid4().hex}.part"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        part.write_bytes(content)
        part.rename(part.with_suffix(".eml"))
        return "250 OK"


def _is_right(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


async def _serve(port: int, folder: Path, mode: str, context: ssl.SSLContext) -> None:
    def made() -> SMTP:
        if mode == "plain":
            return SMTP(_Mailbox(folder))
        return SMTP(
            _Mailbox(folder), authenticator=_is_right, auth_required=True, auth_require_tls=mode == "smtp",
            tls_context=context if mode == "smtp" else None, require_starttls=mode == "smtp",
        )  # fmt: skip

    loop = asyncio.get_running_loop()
    server = await loop.create_server(made, HOST, port, ssl=context if mode == "smtps" else None)
    (folder / "ready").touch()
    await server.serve_forever()


if __name__ == "__main__":
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[4], sys.argv[5])
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], tls))
