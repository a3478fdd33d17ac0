"""A real SMTP server (aiosmtpd) that keeps what it gets, and a certificate authority for it."""

import socket
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Self

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.outbox import parse
from support.waiting import until

USER, PASSWORD = "tertulia", "s3cret:/@?"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Authority:
    """A certificate authority of the test's own; `file` is its certificate in PEM."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA()
        self.file = folder / "test-ca.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def context(self, *names: str) -> ssl.SSLContext:
        """A server's TLS with a certificate for those names."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
        return context


class MailServer:
    """`tls` is "none", "starttls" (offered and required) or "implicit"; with `login`, AUTH is required."""

    def __init__(
        self, tls: str = "none", authority: Authority | None = None, login: bool = False, port: int = 0
    ) -> None:
        self.port = port or free_port()
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.ended = 0
        self.commands: list[str] = []
        self.encrypted: list[bool] = []
        context = authority.context() if authority else None
        options: dict = {"hostname": "mail.test", "enable_SMTPUTF8": True, "decode_data": False}
        if login:
            options |= {
                "authenticator": self._authenticate,
                "auth_required": True,
                "auth_require_tls": tls == "starttls",
            }
        if tls == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        outer = self

        class Recorder(SMTP):
            """Counts connections, and notes which commands came."""

            def connection_made(self, transport) -> None:
                # After STARTTLS it is called again, for the same connection.
                if self.transport is None:
                    outer.connections += 1
                super().connection_made(transport)

            def connection_lost(self, error) -> None:
                outer.ended += 1
                super().connection_lost(error)

            async def _call_handler_hook(self, command: str, *arguments):
                outer.commands.append(command)
                return await super()._call_handler_hook(command, *arguments)

        class Listener(Controller):
            def factory(self) -> SMTP:
                return Recorder(self.handler, **options)

        self._controller = Listener(
            self, hostname="127.0.0.1", port=self.port, ssl_context=context if tls == "implicit" else None
        )
        self.tls = tls

    def _authenticate(self, _server, _session, _envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        right = data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=right, handled=right)

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps a mail."""
        self.encrypted.append(session.ssl is not None or self.tls == "implicit")
        self.recipients += envelope.rcpt_tos
        self.mails.append(parse(envelope.content))
        return "250 kept"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._controller.stop()

    def next_mail(self) -> EmailMessage:
        """Waits for a mail, and takes it out."""
        until(lambda: self.mails, "a mail at the SMTP server", bound=120)
        return self.mails.pop(0)
