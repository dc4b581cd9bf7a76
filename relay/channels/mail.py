"""E-mail to people, through the operator's SMTP server: with TLS that is verified, unless it is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, localtime
from urllib.parse import unquote, urlsplit

from gevent import Timeout

from relay.core.errors import SendError

SECONDS = 30.0
"""For one mail, connection and greeting included."""
STEP_SECONDS = 10.0
PORTS = {"smtp": 587, "smtps": 465}
HERE = ("localhost", "127.0.0.1", "::1")
LONGEST_SAID = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text. `message_id` is the same however often it is tried, so that a mail system may know a repeat.

    `leave_url`: a POST there, or the page, ends such mails to this reader (RFC 2369, RFC 8058).
    """

    to: str
    subject: str
    text: str
    message_id: str
    leave_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailServer:
    """`url`: smtps:// (TLS from the first byte) or smtp:// (STARTTLS, demanded), with user and password.

    `authorities`: the file of certificate authorities that it is verified by.
    """

    url: str = field(repr=False)
    sender: str
    authorities: str

    def send(self, mail: Mail) -> None:
        """Raises SendError: refused (this mail, or this recipient, for good), credentials, or retry."""
        with self._session() as smtp, _told():
            smtp.send_message(self._message(mail))

    def check(self) -> None:
        """Whether it answers, shows a certificate that is verified, and takes the password. Raises SendError."""
        with self._session() as smtp, _told():
            smtp.noop()

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"], message["To"] = self.sender, mail.to
        message["Subject"] = " ".join(mail.subject.split())
        message["Date"], message["Message-ID"] = format_datetime(localtime()), mail.message_id
        message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers (RFC 3834)
        message["List-Unsubscribe"] = f"<{mail.leave_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.text)
        return message

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        late = SendError("retry", "mail_late", "the mail server did not answer in time")
        with Timeout(SECONDS, late), _told():
            smtp = self._connected()
        try:
            with Timeout(SECONDS, late):
                yield smtp
        finally:
            smtp.close()  # without QUIT: what was accepted is the server's

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        port = parts.port or PORTS[parts.scheme]
        context = ssl.create_default_context(cafile=self.authorities)
        if parts.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=STEP_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=STEP_SECONDS)
        try:
            smtp.ehlo()
            if parts.scheme == "smtp" and (smtp.has_extn("starttls") or host not in HERE):
                smtp.starttls(context=context)
                smtp.ehlo()
            if parts.username:
                smtp.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            smtp.close()
            raise
        return smtp


@contextmanager
def _told() -> Iterator[None]:
    """What smtplib and the network raise becomes a SendError, with the server's words."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise SendError(
            "credentials", "mail_login", f"the mail server refuses the password ({error.smtp_code})"
        ) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        final = bool(codes) and all(500 <= code < 600 for code in codes)
        text = f"the mail server refuses the address ({', '.join(map(str, codes))})"
        raise SendError("refused" if final else "retry", "mail_recipient", text) from None
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        text = f"the mail server answered {error.smtp_code}: {' '.join(said.split())[:LONGEST_SAID]}"
        raise SendError("retry", "mail_answer", text) from None
    except smtplib.SMTPNotSupportedError:
        raise SendError("retry", "mail_plain", "the mail server offers no TLS, or no log-in") from None
    except ssl.SSLError as error:
        raise SendError("retry", "mail_tls", f"the mail server's certificate is not trusted ({error.reason})") from None
    except (OSError, smtplib.SMTPException) as error:
        raise SendError("retry", "mail_away", f"the mail server cannot be reached ({type(error).__name__})") from None
