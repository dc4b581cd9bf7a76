"""E-mail through a real server: TLS that is verified, a password, and what the server says when it takes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.channels.mail import Mail, MailServer
from relay.core.errors import SendError
from tests.services.certificates import Authority
from tests.services.mail import NOBODY, MailProcess

LEAVE = "https://relay.example/portal/mail/leave/" + "0" * 76
MAIL = Mail("ada@shop.example", "Line +49\nBcc: x@y.example", "Übermorgen.\n.\nEnd\n", "<1@relay.example>", LEAVE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def server_at(url: str, authority: Authority) -> MailServer:
    return MailServer(url, "Relay <relay@shop.example>", str(authority.ca_file))


@pytest.mark.parametrize("mode", ["smtps", "smtp", "plain"])
def test_a_mail_arrives_as_it_was_written(mode: str, authority: Authority, tmp_path: Path) -> None:
    with MailProcess(tmp_path, mode, authority) as running:
        server = server_at(running.url, authority)
        server.check()
        server.send(MAIL)
        [mail] = running.mails()
    assert (mail["To"], mail["From"]) == ("ada@shop.example", "Relay <relay@shop.example>")
    assert (mail["Subject"], mail["Bcc"]) == ("Line +49 Bcc: x@y.example", None), "no line of it becomes a header"
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<1@relay.example>", "auto-generated")
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (f"<{LEAVE}>", "List-Unsubscribe=One-Click")
    assert mail.get_content().splitlines() == ["Übermorgen.", ".", "End"]  # type: ignore[attr-defined]


def test_who_shows_no_certificate_of_ours_gets_neither_password_nor_mail(authority: Authority, tmp_path: Path) -> None:
    for number, shown in enumerate((authority.self_signed(), authority.wrong_name(), authority.expired())):
        with MailProcess(tmp_path / str(number), "smtp", authority, shown) as running:
            with pytest.raises(SendError) as refused:
                server_at(running.url, authority).send(MAIL)
            assert running.mails() == []
        assert (refused.value.fate, refused.value.code) == ("retry", "mail_tls")


def test_what_the_server_refuses_is_told_apart(authority: Authority, tmp_path: Path) -> None:
    with MailProcess(tmp_path, "smtps", authority) as running:
        wrong = server_at(running.url.replace("harbour", "harbor"), authority)
        with pytest.raises(SendError) as login:
            wrong.check()
        assert (login.value.fate, "harbor" in login.value.text) == ("credentials", False)
        server = server_at(running.url, authority)
        with pytest.raises(SendError) as address:
            server.send(Mail(f"{NOBODY}shop.example", "x", "x", "<2@relay.example>", LEAVE))
        assert address.value.fate == "refused"
        (running.folder / "full").touch()
        with pytest.raises(SendError) as full:
            server.send(MAIL)
        assert (full.value.fate, "452" in full.value.text) == ("retry", True)
    with pytest.raises(SendError) as away:
        server.send(MAIL)
    assert (away.value.fate, away.value.code) == ("retry", "mail_away")


def test_beyond_this_machine_nothing_is_sent_without_tls(authority: Authority, tmp_path: Path) -> None:
    with MailProcess(tmp_path, "plain", authority) as running:
        elsewhere = running.url.replace("localhost", "0.0.0.0")  # the same server, by a name that is not this machine's
        with pytest.raises(SendError) as plain:
            server_at(elsewhere, authority).send(MAIL)
        assert (plain.value.code, running.mails()) == ("mail_plain", [])
